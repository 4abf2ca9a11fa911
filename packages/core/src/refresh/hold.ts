/**
 * Keeps the process alive while somebody waits for `work`. The timers underneath do not: a script that awaits a token
 * must not end in the middle of it, and one that does not wait must be free to end.
 */
export async function hold<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 2 ** 30);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
