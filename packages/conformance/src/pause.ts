/** Waits `ms`; nothing is concluded from how long it really took. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for the next beat of a clock that beats every `ms`: all who wait for it go on together, and race. */
export const nextBeat = (ms: number): Promise<void> => pause(ms - (performance.now() % ms));
