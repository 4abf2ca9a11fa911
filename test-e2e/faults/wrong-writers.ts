import { Redis } from 'ioredis';

/** How programs without a library tend to save, each with one mistake: the test must find it. */

/** What it could not be told was done, it does again. */
export async function appendBlindly(port: number, key: string, entry: string): Promise<boolean> {
  for (let attempt = 1; attempt <= 10; attempt++)
    try {
      await appendOnce(port, key, entry);
      return true;
    } catch {
      // "Did not work": once more.
    }
  return false;
}

/** What failed, it takes for done. */
export async function appendCarelessly(port: number, key: string, entry: string): Promise<boolean> {
  await appendOnce(port, key, entry).catch(() => undefined);
  return true;
}

async function appendOnce(port: number, key: string, entry: string): Promise<void> {
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined); // the command that fails says it
  try {
    await client.connect();
    const list: string[] = JSON.parse((await client.get(key)) ?? '[]');
    await client.set(key, JSON.stringify([...list, entry]));
  } finally {
    client.disconnect();
  }
}
