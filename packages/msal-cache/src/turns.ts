import { setImmediate as nextMacrotask } from 'node:timers/promises';

/** An access whose end never comes (msal-node has no `finally` there) must not hold up the application. */
const MAX_TURN_MS = 100;

/**
 * Lets one access at a time use the memory of a msal-node application, each in a macrotask of its own.
 *
 * msal-node clears that memory when a silent call begins and reads it some microtasks after the plugin filled it. Promises
 * run before the next macrotask does, so between filling and reading nobody else's call can begin, clear or fill.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves at the start of a macrotask that is the caller's; the function it resolves to ends the turn. */
  async begin(): Promise<() => void> {
    const previous = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await previous;
    await nextMacrotask();
    const limit = setTimeout(resolve, MAX_TURN_MS);
    limit.unref();
    return () => {
      clearTimeout(limit);
      resolve();
    };
  }
}
