import assert from 'node:assert/strict';

interface Hold {
  readonly owner: string;
  readonly from: number;
  readonly until: number;
}

/**
 * Who provably held what, and when, on this process's monotonic clock. A hold begins when its owner was told so, and ends
 * when it began to release it or when its time to live, counted from the *request*, was over. Both ends are drawn inwards:
 * on a slow machine a double hold may be missed, but none is ever invented.
 */
export class HoldLog {
  readonly #holds = new Map<string, Hold[]>();

  add(name: string, hold: Hold): void {
    if (hold.until <= hold.from) return;
    this.#holds.set(name, [...(this.#holds.get(name) ?? []), hold]);
  }

  ownersOf(name: string): readonly string[] {
    return (this.#holds.get(name) ?? []).map(({ owner }) => owner);
  }

  assertNoDoubleHold(): void {
    for (const [name, holds] of this.#holds) {
      const inOrder = holds.toSorted((a, b) => a.from - b.from);
      for (const [i, later] of inOrder.entries()) {
        const earlier = inOrder.slice(0, i).find(({ until }) => until > later.from);
        if (earlier) assert.fail(`"${earlier.owner}" and "${later.owner}" held the lease "${name}" at the same time`);
      }
    }
  }
}
