import {
  BaseTokenBackend,
  CapabilityError,
  type Expectation,
  type ReadOptions,
  type RemoveOptions,
  type StoredRecord,
  untilAborted,
  VersionConflictError,
  type WriteOptions,
} from '@tokenry/core/backend';
import { Bucket, type Condition } from './bucket.js';
import { type Conditions, provenConditions } from './conditions.js';
import { Connection } from './connection.js';
import { OWN_OPTIONS, resolveOptions, type S3TokenBackendOptions } from './options.js';

/** Tells records from other objects in the folder. */
const SUFFIX = '.token';
/** How often a removal is repeated because others keep writing. */
const MAX_REMOVALS = 20;
/** Every read is paid for. */
const REVALIDATE_AFTER_MS = 300_000;

/**
 * Keeps records as objects of one S3 bucket, or of a store that speaks S3's protocol and honours conditions on writes:
 * each save is compared by the object's ETag and whole or not made, also between hosts.
 *
 * The object `prefix` + `filename` is the default record, byte for byte what python-o365, MSAL Python and msal-node read;
 * other token keys lie beside it as `<key>.token`.
 *
 * @example
 * ```ts
 * const tokenBackend = new S3TokenBackend({ bucketName: 'contoso-tokens', prefix: 'mail-job/' });
 * ```
 */
export class S3TokenBackend extends BaseTokenBackend {
  readonly #bucketName: string;
  readonly #connection: Connection;
  readonly #bucket: Bucket;
  readonly #lastWriterWins: boolean;
  readonly #seen: { conditions?: Conditions };

  /**
   * Sends nothing; the SDK is loaded and the client made when they are first needed.
   * @throws TypeError for an unknown option, a missing `bucketName`, or options that contradict each other.
   */
  constructor(options: S3TokenBackendOptions) {
    const resolved = resolveOptions(options);
    const lastWriterWins = options.lastWriterWins === true;
    const seen: { conditions?: Conditions } = {};
    // As proven so far: the first write that has a condition proves it before it is sent.
    const comparing = () => !lastWriterWins && seen.conditions?.writes !== false;
    super(
      {
        capabilities: {
          get conditionalWrites() {
            return comparing();
          },
          get leases() {
            return comparing();
          },
          list: true,
          durable: true,
          shared: true,
        },
        id: `s3:${resolved.bucketName}/${resolved.folder}`,
        options: OWN_OPTIONS,
        recordNames: { suffix: SUFFIX },
        recordCache: { revalidateAfterMs: REVALIDATE_AFTER_MS },
      },
      { ...options, defaultTokenKey: resolved.defaultTokenKey },
    );
    this.#bucketName = resolved.bucketName;
    this.#connection = new Connection(options);
    this.#bucket = new Bucket(this.#connection, resolved);
    this.#lastWriterWins = lastWriterWins;
    this.#seen = seen;
  }

  protected readRecord(name: string, options: ReadOptions): Promise<StoredRecord | 'not-modified' | undefined> {
    return this.#bucket.get(name, options);
  }

  protected async writeRecord(name: string, data: Uint8Array, { expect, signal }: WriteOptions): Promise<string> {
    const condition = this.#lastWriterWins ? {} : conditionFor(expect);
    if (Object.keys(condition).length > 0) await this.#conditions('writes', signal);
    return this.#bucket.put(name, data, { condition, signal });
  }

  protected async removeRecord(name: string, { expect, signal }: RemoveOptions): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      // The store answers the same to the removal of something and of nothing.
      const found = await this.#bucket.get(name, { signal });
      if (found === undefined || found === 'not-modified') return false;
      if (this.#lastWriterWins) return (await this.#bucket.delete(name, { signal })) ?? false;
      if (expect !== 'anything') {
        if (found.version !== expect.version) throw new VersionConflictError(name);
        await this.#conditions('deletes', signal);
      }
      try {
        // The condition also where none was asked for: some buckets' policies demand it, and only one remover removes.
        return (await this.#bucket.delete(name, { ifMatch: found.version, signal })) ?? false;
      } catch (error) {
        // Changed since our look: the next one tells whether it is gone, or is what was expected no more.
        if (!VersionConflictError.is(error) || attempt === MAX_REMOVALS) throw error;
      }
    }
  }

  protected override listRecords(options: { readonly signal?: AbortSignal }): AsyncIterable<string> {
    return this.#bucket.names(options);
  }

  protected override closeResources(): Promise<void> {
    return this.#connection.close();
  }

  /** @throws CapabilityError when this store ignores conditions: a comparison that is not made must not look like one. */
  async #conditions(needed: keyof Conditions, signal: AbortSignal | undefined): Promise<void> {
    if (!this.#seen.conditions) {
      const { client } = await this.#connection.open();
      this.#seen.conditions = await untilAborted(provenConditions(client, this.#bucketName, this.#bucket), signal);
    }
    if (this.#seen.conditions[needed]) return;
    throw new CapabilityError(needed === 'writes' ? ignoresWrites(this.#bucketName) : ignoresDeletes(this.#bucketName));
  }
}

function conditionFor(expect: Expectation): Condition {
  if (expect === 'anything') return {};
  return expect === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: expect.version };
}

const ignoresWrites = (bucketName: string): string =>
  `The store of the bucket "${bucketName}" ignores If-Match or If-None-Match on writes: two processes would overwrite each other's tokens. ` +
  'Use a store that honours them (Amazon S3 does), or accept the risk with lastWriterWins: true, best together with leases of another store.';

const ignoresDeletes = (bucketName: string): string =>
  `The store of the bucket "${bucketName}" ignores If-Match on removals, so a record cannot be removed under a condition. ` +
  "Remove it with expect: 'anything', or with deleteToken().";
