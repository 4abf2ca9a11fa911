import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecentMap } from '../src/recent-map.js';

test('holds the entries used last, whatever is done with it, and names all that it drops', () => {
  const step = fc.record({ does: fc.constantFrom('get', 'set', 'delete'), key: fc.integer({ min: 0, max: 6 }) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), (max, steps) => {
      const dropped: number[] = [];
      const map = new RecentMap<number, number>(max, (value) => dropped.push(value));
      let model: [key: number, value: number][] = [];
      let set = 0;
      for (const { does, key } of steps) {
        const known = model.find(([one]) => one === key);
        const others = model.filter(([one]) => one !== key);
        if (does === 'get') {
          expect(map.get(key)).toBe(known?.[1]);
          if (known) model = [...others, known];
        } else if (does === 'set') {
          map.set(key, ++set);
          model = [...others, [key, set] satisfies [number, number]].slice(-max);
        } else {
          map.delete(key);
          model = others;
        }
      }
      const held = model.map(([, value]) => value);
      expect(dropped.toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: set }, (_, index) => index + 1).filter((value) => !held.includes(value)),
      );
      map.clear();
      expect(dropped.length).toBe(set);
    }),
  );
});
