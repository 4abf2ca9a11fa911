import type { TokenBackend } from '@tokenry/core/backend';

/** Every key of a listing, sorted. */
export async function listed(keys: AsyncIterable<string>): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const key of keys) found.push(key);
  return found.sort();
}

/** What both listings of a backend name; fails nowhere by itself. */
export async function bothListings(backend: TokenBackend): Promise<{ records: readonly string[]; tokens: readonly string[] }> {
  return { records: await listed(backend.records.list()), tokens: await listed(backend.listKeys()) };
}
