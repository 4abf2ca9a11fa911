import type { RedisConnection } from './connection.js';
import { clientPrefixOf, primariesOf, type RedisClient } from './redis-client.js';
import { patternOf } from './redis-keys.js';

/** Keys that one SCAN looks at: a page is one short command, so that other clients get their turn in between. */
const PAGE = 500;
/** SCAN may name a key twice while its table grows or shrinks, or its slot moves. So many are remembered. */
const MAX_REMEMBERED = 200_000;

/** Every key that begins with `prefix` and holds a string, on all primaries, page by page, without what the client adds. */
export async function* listKeys(
  connection: RedisConnection,
  options: { readonly prefix: string; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<string> {
  const { signal } = options;
  const command = { doing: 'list the records', signal };
  const seen = new Set<string>();
  // A cluster client knows its primaries once it has answered something.
  const primaries = await connection.run(command, async (client) => {
    if (client.isCluster && client.status !== 'ready') await client.call('ping', []);
    const clientPrefix = clientPrefixOf(client);
    return { nodes: primariesOf(client), clientPrefix, pattern: patternOf(clientPrefix + options.prefix) };
  });
  const { nodes, clientPrefix, pattern } = primaries.answer;
  for (const node of nodes) {
    for (let cursor = '0', started = false; !started || cursor !== '0'; started = true) {
      const { answer: page } = await connection.run(command, () => scan(node, cursor, pattern));
      for (const key of page.keys) {
        if (seen.has(key)) continue;
        if (seen.size < MAX_REMEMBERED) seen.add(key);
        yield key.slice(clientPrefix.length);
      }
      cursor = page.cursor;
    }
  }
}

async function scan(node: RedisClient, cursor: string, pattern: string) {
  const [next, found] = (await node.scanBuffer(cursor, 'MATCH', pattern, 'COUNT', PAGE, 'TYPE', 'string')) as [Buffer, Buffer[]];
  return { cursor: next.toString(), keys: found.flatMap(asText) };
}

/** Keys that are no UTF-8 are nobody's token key. */
function asText(key: Buffer): string[] {
  const text = key.toString();
  return Buffer.from(text).equals(key) ? [text] : [];
}
