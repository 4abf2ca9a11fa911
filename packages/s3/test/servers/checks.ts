/** The error with which `work` rejects. */
export async function rejection(
  work: Promise<unknown>,
): Promise<Error & { readonly code?: string; readonly retryAfterMs?: number }> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not reject');
}

/** Everything that the iteration yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Mends what was broken when `work` has ended, in whatever way. */
export async function mendAfter<T>(work: Promise<T>, mend: () => Promise<void>): Promise<T> {
  try {
    return await work;
  } finally {
    await mend();
  }
}
