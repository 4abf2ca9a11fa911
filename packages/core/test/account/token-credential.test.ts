import { describe, expect, it } from 'vitest';
import { platformSignal } from '../../src/abort-signal-like.js';

/** What @azure/abort-controller 1 gives: no `reason`, no `throwIfAborted`. */
class OldSignal {
  aborted = false;
  readonly #listeners: (() => void)[] = [];
  addEventListener(_type: 'abort', listener: () => void) {
    this.#listeners.push(listener);
  }
  abort() {
    this.aborted = true;
    for (const listener of this.#listeners) listener();
  }
}

describe('abort signals of Azure SDKs', () => {
  it('the platform’s own signal stays itself, and none stays none', () => {
    const { signal } = new AbortController();
    expect(platformSignal(signal)).toBe(signal);
    expect(platformSignal(undefined)).toBeUndefined();
  });

  it('another kind of signal aborts when it does, also when it already has', () => {
    const signal = new OldSignal();
    const platform = platformSignal(signal);
    expect(platform?.aborted).toBe(false);
    signal.abort();
    expect(platform?.aborted).toBe(true);
    expect(platformSignal(signal)?.aborted).toBe(true);
  });
});
