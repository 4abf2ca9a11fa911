import { hash } from 'node:crypto';
import type { RedisArgument, RedisClient } from './redis-client.js';

/**
 * A Lua script on one key. Redis runs a script whole: nothing comes in between. One key means one slot, so that no script
 * needs hash tags in a cluster.
 */
export class Script {
  readonly #lua: string;
  readonly #sha: string;

  constructor(lua: string) {
    this.#lua = lua;
    this.#sha = hash('sha1', lua, 'hex');
  }

  /**
   * Answers the number that the script returns. Sends the script by its hash, and whole only to a server that does not know it
   * (new, restarted, another shard).
   */
  async run(client: RedisClient, key: string, args: readonly RedisArgument[]): Promise<number> {
    try {
      // A client with `stringNumbers` gives text.
      return Number(await client.call('evalsha', [this.#sha, 1, key, ...args]));
    } catch (error) {
      // Redis looks the script up before it runs anything: repeating is safe.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return Number(await client.call('eval', [this.#lua, 1, key, ...args]));
    }
  }
}
