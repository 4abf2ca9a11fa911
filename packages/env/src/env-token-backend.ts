import { createHash } from 'node:crypto';
import {
  type BackendCapabilities,
  BaseTokenBackend,
  type BaseTokenBackendOptions,
  type Clock,
  type LeaseProvider,
  type RemoveOptions,
  type StoredRecord,
  VersionConflictError,
  type WriteOptions,
} from '@tokenry/core/backend';
import { leasesOf } from './process-leases.js';
import { recordIn, variableOf } from './variable-name.js';
import { decodeValue, encodeValue } from './variable-value.js';

export interface EnvTokenBackendOptions extends BaseTokenBackendOptions {
  /** The variable that holds the default record; letters, digits and `_`. @default 'O365TOKEN', as in python-o365 */
  readonly tokenEnvName?: string;
}

/**
 * Linux starts no program with a variable of more than 128 KiB including its name (MAX_ARG_STRLEN, execve(2)); Windows
 * allows 32 767 characters. Bytes that are no text take a third more as base64, and still have to fit.
 */
const MAX_RECORD_BYTES = process.platform === 'win32' ? 24_000 : 97_280;

const CAPABILITIES: BackendCapabilities = Object.freeze({
  conditionalWrites: true,
  leases: true,
  list: true,
  durable: false,
  shared: true,
  maxRecordBytes: MAX_RECORD_BYTES,
});

/**
 * Keeps records in environment variables of this process. They end with it: child processes started later get a copy,
 * nobody else ever sees a change. Reads what python-o365's `EnvTokenBackend` or a deployment has put there.
 *
 * @example
 * ```ts
 * const account = new Account(['client-id', 'secret'], { tokenBackend: new EnvTokenBackend() });
 * ```
 */
export class EnvTokenBackend extends BaseTokenBackend {
  readonly #base: string;
  readonly #clock: Clock | undefined;

  /** @throws TypeError when `tokenEnvName` is no name that every shell takes. */
  constructor(options: EnvTokenBackendOptions = {}) {
    const base = checkName(options.tokenEnvName ?? 'O365TOKEN');
    super({ id: `env:${base}`, capabilities: CAPABILITIES, options: ['tokenEnvName'], defaultTokenKey: base }, options);
    this.#base = base;
    this.#clock = options.clock;
  }

  protected async readRecord(name: string): Promise<StoredRecord | undefined> {
    const value = this.#get(name);
    return value === undefined ? undefined : { data: decodeValue(value), version: versionOf(value) };
  }

  // Between comparing and setting nothing is awaited: in one process that makes the pair atomic.
  protected async writeRecord(name: string, data: Uint8Array, { expect }: WriteOptions): Promise<string> {
    this.#compare(name, expect);
    const value = encodeValue(data);
    process.env[variableOf(this.#base, name)] = value;
    return versionOf(value);
  }

  protected async removeRecord(name: string, { expect }: RemoveOptions): Promise<boolean> {
    if (this.#get(name) === undefined) return false;
    this.#compare(name, expect);
    return delete process.env[variableOf(this.#base, name)];
  }

  protected override async *listRecords(): AsyncIterable<string> {
    for (const variable of Object.keys(process.env)) {
      const name = recordIn(this.#base, variable);
      if (name !== undefined && this.#get(name) !== undefined) yield name;
    }
  }

  protected override leaseProvider(): LeaseProvider {
    return leasesOf(this.#base, this.#clock);
  }

  /** An empty variable counts as absent: that is how deployments say "not given", and Windows knows no other. */
  #get(name: string): string | undefined {
    return process.env[variableOf(this.#base, name)] || undefined;
  }

  #compare(name: string, expect: WriteOptions['expect']): void {
    if (expect === 'anything') return;
    const value = this.#get(name);
    const version = value === undefined ? undefined : versionOf(value);
    if (version !== (expect === 'absent' ? undefined : expect.version)) throw new VersionConflictError(name);
  }
}

function versionOf(value: string): string {
  return createHash('sha256').update(value).digest('base64url');
}

function checkName(name: string): string {
  if (typeof name === 'string' && /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) return name;
  throw Object.assign(new TypeError('tokenEnvName must be a name of letters, digits and "_" that does not begin with a digit.'), {
    code: 'TOKENRY_INVALID_ARGUMENT',
  });
}
