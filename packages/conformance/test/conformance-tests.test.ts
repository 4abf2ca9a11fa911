import assert from 'node:assert/strict';
import { MemoryTokenBackend } from '@tokenry/memory';
import { expect, test, vi } from 'vitest';
import { type CreateStore, conformanceTests, describeStore, type SkippedTest, type TestStore } from '../src/index.js';
import { failuresOf } from './failures-of.js';
import { mapStore } from './shared-map.js';

const memoryStore: CreateStore = async () => ({
  open: async (options) => new MemoryTokenBackend(options),
  destroy: async () => {},
});
const named = (tests: ReturnType<typeof conformanceTests>, name: string) => {
  const found = [...tests].find((test) => test.name === name);
  assert.ok(found, `no test is named "${name}"`);
  return found;
};
const NEEDS_SHARING = 'absence is not remembered';

test('tests are made without touching a store', () => {
  const createStore = vi.fn(memoryStore);
  expect([...conformanceTests(createStore)].length).toBeGreaterThan(100);
  expect(createStore).not.toHaveBeenCalled();
});

test('group and name tell every test from every other', () => {
  const names = [...conformanceTests(memoryStore)].map(({ group, name }) => `${group}: ${name}`);
  expect(new Set(names).size).toBe(names.length);
});

test('with a description, a test of what is not claimed has a reason to be skipped', async () => {
  const store = await describeStore(memoryStore);
  expect(named(conformanceTests(memoryStore, { store }), NEEDS_SHARING).skip).toBe('the store does not claim `shared`');
  expect(named(conformanceTests(memoryStore, { store }), 'a removed record is absent').skip).toBeUndefined();
});

test('without a description, a test that proves nothing says so and passes', async () => {
  const skipped: SkippedTest[] = [];
  await named(conformanceTests(memoryStore, { onSkip: (test) => skipped.push(test) }), NEEDS_SHARING).run();
  expect(skipped).toEqual([{ group: 'lifecycle', name: NEEDS_SHARING, reason: 'the store does not claim `shared`' }]);
});

test('without anybody to tell, it is a process warning', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  await named(conformanceTests(memoryStore), NEEDS_SHARING).run();
  expect(warn).toHaveBeenCalledExactlyOnceWith(
    `not examined: "lifecycle: ${NEEDS_SHARING}": the store does not claim \`shared\``,
    'ConformanceSkip',
  );
  warn.mockRestore();
});

test('a description names the capabilities and what the author gave to examine them', async () => {
  expect(await describeStore(async () => mapStore())).toEqual({
    capabilities: { conditionalWrites: true, leases: true, list: true, durable: true, shared: true, maxRecordBytes: 600_000 },
    canReadRaw: true,
    faults: ['unreachable', 'denied', 'corrupt'],
  });
  expect(await describeStore(memoryStore)).toMatchObject({ canReadRaw: false, faults: [] });
});

test('a store that could not be made is asked for again by the next test', async () => {
  const createStore = vi.fn(memoryStore).mockRejectedValueOnce(new Error('the server is not up yet'));
  const tests = conformanceTests(createStore);
  const conformance = named(tests, 'a removed record is absent');
  await expect(conformance.run()).rejects.toThrow('the server is not up yet');
  await conformance.run();
});

test('every store is destroyed once and every instance closed before, also after a failure', async () => {
  const events: string[] = [];
  const watched = (store: TestStore): TestStore => ({
    ...store,
    async open(options) {
      const backend = await store.open(options);
      const close = backend.close.bind(backend);
      events.push('opened');
      backend.close = () => close().finally(() => events.push('closed'));
      return backend;
    },
    async destroy() {
      await store.destroy();
      events.push('destroyed');
    },
  });
  const store = await describeStore(async () => mapStore());
  for (const name of ['a record reads back byte for byte', 'the version changes whenever the bytes change']) {
    const breaking = named(
      conformanceTests(
        async () => {
          const sound = mapStore();
          return watched({ ...sound, open: async (options) => Object.assign(await sound.open(options), { records: undefined }) });
        },
        { store },
      ),
      name,
    );
    await expect(breaking.run()).rejects.toThrow();
  }
  expect(events).toEqual(['opened', 'closed', 'destroyed', 'opened', 'closed', 'destroyed']);
});

test('instances that open late are closed too, before the store is destroyed', async () => {
  const sound = mapStore();
  const store = await describeStore(async () => sound);
  const events: string[] = [];
  let opened = 0;
  const createStore = async (): Promise<TestStore> => ({
    ...sound,
    async open(options) {
      const turn = ++opened;
      if (turn === 2) throw new Error('one connection too many');
      const backend = await sound.open(options);
      if (turn > 2) await new Promise((resolve) => setTimeout(resolve, 20));
      const close = backend.close.bind(backend);
      events.push('opened');
      backend.close = () => close().finally(() => events.push('closed'));
      return backend;
    },
    destroy: async () => void events.push('destroyed'),
  });
  const test = named(conformanceTests(createStore, { store }), 'of many simultaneous creations exactly one succeeds');
  await expect(test.run()).rejects.toThrow('one connection too many');
  expect(events.filter((event) => event === 'opened')).toHaveLength(5);
  expect(events.filter((event) => event === 'closed')).toHaveLength(5);
  expect(events.at(-1)).toBe('destroyed');
});

test('what went wrong in cleaning up fails a test that would have passed', async () => {
  const store = await describeStore(memoryStore);
  const createStore = async () => ({
    ...(await memoryStore()),
    destroy: () => Promise.reject(new Error('the folder is not empty')),
  });
  await expect(named(conformanceTests(createStore, { store }), 'a removed record is absent').run()).rejects.toThrow(
    'the folder is not empty',
  );
});

test('all tests can run at the same time', async () => {
  expect(await failuresOf(memoryStore)).toEqual(new Map());
});
