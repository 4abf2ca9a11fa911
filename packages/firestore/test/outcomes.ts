/** Everything that the iteration yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** What `rejection` finds. */
export type Rejection = Error & { readonly code?: string; readonly retryAfterMs?: number };

/** The error with which `work` rejects. */
export async function rejection(work: Promise<unknown>): Promise<Rejection> {
  try {
    await work;
  } catch (error) {
    return error as Rejection;
  }
  throw new Error('it did not reject');
}
