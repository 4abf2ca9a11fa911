import type { Clock } from '../../src/clock.js';

export interface RecordingClock extends Clock {
  /** Every wait that was asked for, in milliseconds. */
  readonly waits: readonly number[];
  time: number;
}

/** Simulated time: a wait moves it forward and returns at once. */
export function recordingClock(start = Date.parse('2026-01-01T00:00:00Z')): RecordingClock {
  const waits: number[] = [];
  const clock: RecordingClock = {
    time: start,
    waits,
    now: () => clock.time,
    monotonic: () => clock.time - start,
    sleep: async (ms, options) => {
      options?.signal?.throwIfAborted();
      waits.push(ms);
      clock.time += ms;
    },
  };
  return clock;
}
