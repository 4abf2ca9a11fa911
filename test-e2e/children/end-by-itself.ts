/** A script that asks for a token and ends, without closing anything; what has to be finished holds it. */
import { Account, BackendUnavailableError, type Cloud, type WriteOptions } from '@tokenry/core';
import { FileSystemTokenBackend } from '@tokenry/filesystem';

interface Instructions {
  readonly clientId: string;
  readonly tokenPath: string;
  readonly accountOptions: { readonly cloud: Cloud; readonly ca: string; readonly tenantId: string };
  /** How long the store refuses tokens from the first save on. */
  readonly refusesForMs: number;
  readonly forceRefresh: boolean;
}

class RefusingBackend extends FileSystemTokenBackend {
  #refusesUntil: number | undefined;
  readonly #forMs: number;

  constructor(tokenPath: string, forMs: number) {
    super({ tokenPath });
    this.#forMs = forMs;
  }
  protected override writeRecord(name: string, data: Uint8Array, options: WriteOptions): Promise<string> {
    this.#refusesUntil ??= performance.now() + this.#forMs;
    if (performance.now() < this.#refusesUntil) throw new BackendUnavailableError('The store takes nothing now.');
    return super.writeRecord(name, data, options);
  }
}

const { clientId, tokenPath, accountOptions, refusesForMs, forceRefresh }: Instructions = JSON.parse(process.argv[2] ?? '');
const tokenBackend = new RefusingBackend(tokenPath, refusesForMs);
const account = new Account([clientId], { ...accountOptions, tokenBackend, scopes: 'basic' });
const { token } = await account.getAccessToken({ forceRefresh });
console.log(token);
