import {
  BaseTokenBackend,
  InProcessLeases,
  type LeaseProvider,
  type ReadOptions,
  type RemoveOptions,
  type StoredRecord,
  systemClock,
  type WriteOptions,
} from '@tokenry/core/backend';
import { assertNotEmpty, CompareAndSwap, recordIn } from './compare-and-swap.js';
import { Connection } from './connection.js';
import { OWN_OPTIONS, resolveOptions, type SecretsManagerTokenBackendOptions } from './options.js';
import { Secrets } from './secrets.js';
import { WriteBudget } from './write-budget.js';

/** docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html: secret value size. */
const MAX_RECORD_BYTES = 65_536;
const MAX_NAME_BYTES = 300;
/** Every read is paid for. */
const REVALIDATE_AFTER_MS = 300_000;

let warned = false;

/**
 * Keeps records in AWS Secrets Manager, one secret per token key, compared and swapped by the label AWSCURRENT: no lost
 * update between hosts, and never a half-written record.
 *
 * The secret `secretName` is the default record, text that python-o365 reads too; other token keys lie behind `prefix`.
 * Leases are in this process only: give `leases` of another store where several processes refresh the same account.
 *
 * @example
 * ```ts
 * const tokenBackend = new SecretsManagerTokenBackend({ secretName: 'prod/o365-token', clientOptions: { region: 'eu-west-1' } });
 * ```
 */
export class SecretsManagerTokenBackend extends BaseTokenBackend {
  readonly #connection: Connection;
  readonly #secrets: Secrets;
  readonly #swap: CompareAndSwap;
  readonly #budget: WriteBudget;
  readonly #names: { readonly secretName: string; readonly prefix: string; readonly literal: string | undefined };
  readonly #leases: InProcessLeases;

  /**
   * Sends nothing; the SDK is loaded and the client made when they are first needed.
   * @throws TypeError or RangeError for an unknown option, or options that make no sense.
   */
  constructor(options: SecretsManagerTokenBackendOptions = {}) {
    const resolved = resolveOptions(options);
    const { secretName, prefix, defaultTokenKey } = resolved;
    const clock = options.clock ?? systemClock;
    super(
      {
        // A secret as a lock would use up its versions within the hour.
        capabilities: {
          conditionalWrites: true,
          leases: false,
          list: true,
          durable: true,
          shared: true,
          maxRecordBytes: MAX_RECORD_BYTES,
        },
        id: `secrets-manager:${prefix}`,
        options: OWN_OPTIONS,
        recordNames: { maxBytes: MAX_NAME_BYTES },
        recordCache: { revalidateAfterMs: REVALIDATE_AFTER_MS },
      },
      { ...options, defaultTokenKey },
    );
    // With a key prefix, the default record is one of many like it.
    this.#names = { secretName, prefix, literal: options.keyPrefix ? undefined : defaultTokenKey };
    this.#connection = new Connection(options);
    this.#secrets = new Secrets(this.#connection, resolved);
    this.#swap = new CompareAndSwap(this.#secrets);
    this.#budget = new WriteBudget({ intervalMs: resolved.minimumWriteIntervalMs, now: () => clock.now() });
    this.#leases = new InProcessLeases({ clock });
  }

  protected async readRecord(name: string, { signal }: ReadOptions): Promise<StoredRecord | undefined> {
    const found = recordIn(await this.#secrets.current(this.#idOf(name), { signal }));
    if (found) this.#budget.written(name, found.createdAt);
    return found;
  }

  protected async writeRecord(name: string, data: Uint8Array, { expect, signal }: WriteOptions): Promise<string> {
    assertNotEmpty(name, data);
    const write = { name, id: this.#idOf(name), data, signal };
    const version = await this.#written(write, expect);
    this.#budget.written(name);
    return version;
  }

  protected removeRecord(name: string, { expect, signal }: RemoveOptions): Promise<boolean> {
    return this.#swap.remove(name, this.#idOf(name), { signal, ...(expect === 'anything' ? {} : { expected: expect.version }) });
  }

  protected override async *listRecords(options: { readonly signal?: AbortSignal }): AsyncIterable<string> {
    const { secretName, prefix, literal } = this.#names;
    const isApart = literal !== undefined && prefix + literal !== secretName;
    for await (const id of this.#secrets.names(isApart ? [prefix, secretName] : [prefix], options)) {
      if (isApart && id === secretName) yield literal;
      else if (id.startsWith(prefix) && id.length > prefix.length) yield id.slice(prefix.length);
    }
  }

  /** A refresh that brought only access tokens may wait: the next process would at worst ask for one more. */
  protected override deferAccessTokensMs(name: string): number {
    return this.#budget.waitMs(name);
  }

  protected override leaseProvider(): LeaseProvider {
    warnOnce();
    return this.#leases;
  }

  protected override closeResources(): Promise<void> {
    return this.#connection.close();
  }

  #idOf(name: string): string {
    const { secretName, prefix, literal } = this.#names;
    return name === literal ? secretName : prefix + name;
  }

  #written(write: Parameters<CompareAndSwap['create']>[0], expect: WriteOptions['expect']): Promise<string> {
    if (expect === 'anything') return this.#swap.overwrite(write);
    return expect === 'absent' ? this.#swap.create(write) : this.#swap.replace(write, expect.version);
  }
}

function warnOnce(): void {
  if (warned) return;
  warned = true;
  process.emitWarning(
    'SecretsManagerTokenBackend: its leases hold in this process only, so that two processes may refresh the same account at once. ' +
      'Pass { leases } from another store, such as RedisLeases, or refresh from one process.',
    { code: 'TOKENRY_LEASES_IN_PROCESS' },
  );
}
