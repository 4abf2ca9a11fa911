/** The error with which `work` rejects. */
export async function rejection(work: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  try {
    await work;
  } catch (error) {
    return error as Error & { readonly code?: string };
  }
  throw new Error('it did not reject');
}

/** Everything that the iteration yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);
