import { Account, type AccountOptions } from '@tokenry/core';
import { FileSystemTokenBackend } from '@tokenry/filesystem';

/** A process whose next save is told that it succeeded only when a later read is about to end. */

export interface SlowSaverOptions {
  readonly folder: string;
  readonly clientId: string;
  readonly authority: Pick<AccountOptions, 'cloud' | 'ca' | 'tenantId'>;
  readonly clockOffsetMs: number;
  /** Whose refresh is saved slowly. */
  readonly first: string;
  /** Whose token is asked for meanwhile, once the test says so. */
  readonly second: string;
}

const say = (message: object | string): void => void process.send?.(message);
const answer = Promise.withResolvers<void>();
let saving: Promise<unknown> = Promise.resolve();
let reads: 'plain' | 'overtaken' = 'plain';

class SlowFiles extends FileSystemTokenBackend {
  protected override async writeRecord(...args: Parameters<FileSystemTokenBackend['writeRecord']>): Promise<string> {
    const version = await super.writeRecord(...args);
    say('written');
    await answer.promise;
    return version;
  }

  protected override async readRecord(...args: Parameters<FileSystemTokenBackend['readRecord']>) {
    const found = await super.readRecord(...args);
    if (reads === 'plain') return found;
    reads = 'plain';
    answer.resolve();
    await saving;
    return found;
  }
}

const [options] = JSON.parse(process.argv[2] ?? '[]') as [SlowSaverOptions];
const tokenBackend = new SlowFiles({ tokenPath: options.folder });
const account = new Account([options.clientId], {
  ...options.authority,
  tokenBackend,
  scopes: ['User.Read'],
  clock: { now: () => Date.now() + options.clockOffsetMs, monotonic: () => performance.now() },
});
const tokenOf = (username: string) => account.forKey(tokenBackend.defaultTokenKey, { username }).getAccessToken();

async function takeTheSecond(): Promise<void> {
  reads = 'overtaken';
  const { token } = await tokenOf(options.second);
  await account.close();
  say({ token });
  process.disconnect?.();
}

process.once('message', () => void takeTheSecond());
saving = tokenOf(options.first);
