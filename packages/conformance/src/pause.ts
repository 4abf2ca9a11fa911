/** Waits `ms`; nothing is concluded from how long it really took. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
