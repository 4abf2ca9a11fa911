import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import {
  BaseTokenBackend,
  type LeaseProvider,
  type ReadOptions,
  type RemoveOptions,
  type StoredRecord,
  VersionConflictError,
  type WriteOptions,
} from '@tokenry/core/backend';
import { RedisConnection } from './connection.js';
import { Invalidation } from './invalidation.js';
import { LeaseKeys } from './lease-keys.js';
import { listKeys } from './listing.js';
import { checkOwnOptions, OWN_OPTIONS, type RedisTokenBackendOptions, resolveConnection } from './options.js';
import { type RedisArgument, type RedisClient, readsFromReplicas } from './redis-client.js';
import { channelOf, RedisKeys } from './redis-keys.js';
import { ABSENT, ALREADY_THERE, CONFLICT, DONE, REMOVE, SAVE } from './scripts.js';

/** Prefix and token key of 256 bytes each, every byte escaped: so no name is ever replaced by a hash. */
const MAX_NAME_BYTES = 3 * 512;
/** The longest string of Redis. */
const MAX_RECORD_BYTES = 512 * 1024 * 1024;

/**
 * Keeps records as plain strings in Redis (one server, Sentinel or Cluster), shared by any number of processes: saves are
 * compared and made by one script, leases are keys that end by themselves.
 *
 * The Redis key of a record is `keyPrefix` + token key, and its value is what msal-node and MSAL Python write as well: a
 * record that a cache plugin of theirs left there is read as it is.
 *
 * @example
 * ```ts
 * const tokenBackend = new RedisTokenBackend({ clientOptions: { url: 'rediss://app@redis.example' }, keyPrefix: 'app:' });
 * ```
 */
export class RedisTokenBackend extends BaseTokenBackend {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #keyPrefix: string;
  readonly #expireAfterMs: number | undefined;
  readonly #invalidation: Invalidation | undefined;

  /**
   * Connects to nothing; the first operation does.
   * @throws TypeError for an unknown option or for a `client` that is none, RangeError for a number out of range.
   */
  constructor(options: RedisTokenBackendOptions = {}) {
    super(
      {
        capabilities: {
          conditionalWrites: true,
          leases: true,
          list: true,
          durable: true,
          shared: true,
          maxRecordBytes: MAX_RECORD_BYTES,
        },
        // Not the address: one server has many names, and its leases lie in it anyway.
        id: 'redis',
        options: OWN_OPTIONS,
        recordNames: { maxBytes: MAX_NAME_BYTES },
      },
      options,
    );
    checkOwnOptions(options);
    this.#keyPrefix = options.keyPrefix ?? '';
    this.#expireAfterMs = options.expireAfterMs;
    this.#keys = new RedisKeys({ keyPrefix: this.#keyPrefix, defaultTokenKey: this.defaultTokenKey });
    // Who answers now may be a replica that was promoted, and lack what the primary had confirmed.
    const connection = new RedisConnection(resolveConnection(options), () => this.checkRecentSaves());
    this.#connection = connection;
    if (options.invalidation)
      this.#invalidation = new Invalidation({
        connection,
        channel: channelOf(this.#keyPrefix),
        changed: (name) => this.forgetRecord(name),
      });
  }

  protected async readRecord(name: string, { signal }: ReadOptions): Promise<StoredRecord | undefined> {
    this.#invalidation?.start();
    const command = { doing: `read the record "${name}"`, signal };
    const { answer: data } = await this.#connection.run(command, (client) => this.#get(client, this.#keys.keyOf(name)));
    if (!(data instanceof Uint8Array)) return undefined;
    return new RedisRecord(data);
  }

  protected async writeRecord(name: string, data: Uint8Array, { expect, signal }: WriteOptions): Promise<string> {
    const args = [argumentOf(data), expectationOf(expect), this.#expireAfterMs ?? '', ...this.#notice(name)];
    const command = { doing: `save the record "${name}"`, signal };
    let version = '';
    const save = (client: RedisClient) => {
      const saved = SAVE.run(client, this.#keys.keyOf(name), args);
      version = versionOf(data); // while Redis is busy
      return saved;
    };
    const { answer, disturbed } = await this.#connection.write(command, save, (found) => found !== CONFLICT);
    // A client that sends again what got no answer meets its own first attempt.
    if (answer !== DONE && !(answer === ALREADY_THERE && disturbed)) throw new VersionConflictError(name);
    return version;
  }

  protected async removeRecord(name: string, { expect, signal }: RemoveOptions): Promise<boolean> {
    const command = { doing: `remove the record "${name}"`, signal };
    const args = [expectationOf(expect), ...this.#notice(name)];
    const { answer, disturbed } = await this.#connection.write(command, (client) =>
      REMOVE.run(client, this.#keys.keyOf(name), args),
    );
    if (answer === ABSENT) return disturbed;
    if (answer !== DONE) throw new VersionConflictError(name);
    return true;
  }

  protected override async *listRecords({ signal }: { readonly signal?: AbortSignal }): AsyncIterable<string> {
    for await (const key of listKeys(this.#connection, { prefix: this.#keyPrefix, signal })) {
      const name = this.#keys.nameOf(key);
      if (name !== undefined) yield name;
    }
  }

  protected override leaseProvider(): LeaseProvider {
    return new LeaseKeys(this.#connection, this.#keyPrefix);
  }

  protected override async closeResources(): Promise<void> {
    this.#invalidation?.close();
    this.#connection.close();
  }

  /** Always the primary: what a replica says may be older than the token that another process has just spent. */
  #get(client: RedisClient, key: string): Promise<unknown> {
    if (this.#expireAfterMs !== undefined) return client.getexBuffer(key, 'PX', this.#expireAfterMs);
    // To ioredis GETEX is a write, which it sends to the primary whatever `scaleReads` says.
    return readsFromReplicas(client) ? client.getexBuffer(key) : client.getBuffer(key);
  }

  #notice(name: string): readonly RedisArgument[] {
    return this.#invalidation ? [this.#invalidation.channel, this.#invalidation.messageFor(name)] : ['', ''];
  }
}

/** A record as read: its version is worked out when somebody compares it. */
class RedisRecord implements StoredRecord {
  readonly data: Uint8Array;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  get version(): string {
    return versionOf(this.data);
  }
}

/** These bytes, as text where they are text: ioredis copies a buffer twice before it is sent. */
function argumentOf(data: Uint8Array): string | Buffer {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return isUtf8(bytes) ? bytes.toString() : bytes;
}

/** The hash that scripts compare. */
function versionOf(data: Uint8Array): string {
  return hash('sha1', data, 'hex');
}

function expectationOf(expect: WriteOptions['expect']): string {
  if (expect === 'anything') return 'any';
  if (expect === 'absent') return 'absent';
  // What is no version of ours is the version of nothing.
  return /^[0-9a-f]{40}$/.test(expect.version) ? expect.version : 'none';
}
