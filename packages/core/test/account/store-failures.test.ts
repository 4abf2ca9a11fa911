import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { MemoryTokenBackend } from '@tokenry/memory';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Account } from '../../src/account.js';
import { BackendUnavailableError, RecordCorruptError, TokenNotSavedError } from '../../src/errors.js';
import { type AccountStage, ADA, failure, openAccountStage, WEB } from './stage.js';

let stage: AccountStage;
beforeAll(async () => {
  stage = await openAccountStage();
});
beforeEach(() => stage.authority.forgetCalls());
afterAll(() => stage[Symbol.asyncDispose]());

/** A store that can be switched off, for reading and writing each. */
class FlakyTokenBackend extends MemoryTokenBackend {
  readable = true;
  writable = true;
  protected override async readRecord(name: string) {
    if (!this.readable) throw new BackendUnavailableError('The store is down.');
    return super.readRecord(name);
  }
  protected override async writeRecord(...args: Parameters<MemoryTokenBackend['writeRecord']>) {
    if (!this.writable) throw new BackendUnavailableError('The store is down.');
    return super.writeRecord(...args);
  }
}
const flaky = () =>
  new FlakyTokenBackend({ clock: stage.clock, recordCache: { maxStalenessMs: 60_000, revalidateAfterMs: 30_000 } });

describe('a store that is down', () => {
  it('is never "nobody is signed in"', async () => {
    const tokenBackend = flaky();
    await stage.signedIn({ tokenBackend });
    tokenBackend.readable = false;
    const fresh = stage.account(WEB, { tokenBackend: cold(tokenBackend) });
    for (const call of [
      () => fresh.isAuthenticated(),
      () => fresh.getAccessToken(),
      () => fresh.getAccounts(),
      () => fresh.signOut(),
      () => fresh.verify(),
    ])
      expect(BackendUnavailableError.is(await failure(call()))).toBe(true);
  });

  it('does not keep a valid token from being served', async () => {
    const tokenBackend = flaky();
    const account = await stage.signedIn({ tokenBackend });
    const { token } = await account.getAccessToken();
    tokenBackend.readable = false;
    stage.pass(120_000);
    expect((await account.getAccessToken()).token).toBe(token);
    expect((await account.getCurrentUser()).userPrincipalName).toBe(ADA);
    expect(BackendUnavailableError.is(await failure(account.getAccessToken({ forceRefresh: true })))).toBe(true);
    expect(stage.count('refresh_token')).toBe(0);
    tokenBackend.readable = true;
    expect((await account.getAccessToken({ forceRefresh: true })).token).not.toBe(token);
  });

  it('does not keep a program from its own token', async () => {
    const tokenBackend = flaky();
    tokenBackend.readable = false;
    tokenBackend.writable = false;
    const account = stage.account(WEB, { tokenBackend, authFlowType: 'credentials', scopes: [] });
    expect((await account.getAccessToken()).token).toMatch(/^eyJ/);
    tokenBackend.readable = true;
    tokenBackend.writable = true;
    await account.close();
    expect(await tokenBackend.checkToken()).toBe(true);
  });

  it('that cannot be written to keeps the new tokens in memory until it can', async () => {
    const tokenBackend = flaky();
    const account = await stage.signedIn({ tokenBackend });
    const before = await account.getAccessToken();
    tokenBackend.writable = false;
    const renewed = await account.getAccessToken({ forceRefresh: true });
    expect(renewed.token).not.toBe(before.token);
    expect((await account.getAccessToken()).token).toBe(renewed.token);
    expect(stage.count('refresh_token')).toBe(1);
    tokenBackend.writable = true;
    await account.close();
    const stored = await stage.account(WEB, { tokenBackend: cold(tokenBackend) }).getAccessToken();
    expect(stored.token).toBe(renewed.token);
  });

  it('is told of by close(), when it was closed itself before the newest tokens came', async () => {
    const tokenBackend = flaky();
    const { accountOptions } = stage.authority;
    const account = new Account(WEB, { ...accountOptions, proxy: false, clock: stage.clock, scopes: 'basic', tokenBackend });
    await stage.signIn(account);
    const late = stage.authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', delayMs: 200, times: 1 });
    const asking = account.getAccessToken({ forceRefresh: true });
    await expect.poll(() => late.hits).toBe(1);
    tokenBackend.writable = false;
    await tokenBackend.close();
    expect((await asking).token).toMatch(/^eyJ/);
    const error = await failure(account.close());
    expect(TokenNotSavedError.is(error) && error.tokenKeys).toEqual([tokenBackend.defaultTokenKey]);
  });

  it('makes a sign-in fail instead of pretending', async () => {
    const tokenBackend = flaky();
    tokenBackend.writable = false;
    const account = stage.account(WEB, { tokenBackend });
    const signal = AbortSignal.timeout(1_500);
    const error = await failure(account.authenticate({ handleConsent: stage.authority.consentAs(ADA), signal }));
    expect(BackendUnavailableError.is(error) || error === signal.reason).toBe(true);
    expect(await account.isAuthenticated()).toBe(false);
  });
});

/** Another instance on the same store that has nothing in memory. */
function cold(store: FlakyTokenBackend): MemoryTokenBackend {
  return new (class extends MemoryTokenBackend {
    protected override async readRecord(name: string) {
      if (!store.readable) throw new BackendUnavailableError('The store is down.');
      const record = await store.records.read(name);
      return record === 'not-modified' ? undefined : record;
    }
  })({ clock: stage.clock });
}

describe('B03: a token file that is corrupt', () => {
  it.each([
    ['empty', ''],
    ['truncated', '{"AccessToken":{"a":{"secret":"at-TEST-cut'],
    ['a list', '[]'],
    ['null sections', '{"AccessToken":null}'],
  ])('is an error for every call while it is %s, and is set aside when somebody signs in', async (_kind, text) => {
    const tokenPath = await mkdtemp(join(tmpdir(), 'tokenry-b03-'));
    try {
      const file = join(tokenPath, 'o365_token.txt');
      await writeFile(file, text);
      const account = stage.account(WEB, { tokenBackend: new FileSystemTokenBackend({ tokenPath, clock: stage.clock }) });
      for (const call of [() => account.isAuthenticated(), () => account.getAccessToken(), () => account.isAuthenticated()])
        expect(RecordCorruptError.is(await failure(call()))).toBe(true);
      expect(await readFile(file, 'utf8')).toBe(text);
      expect(await readdir(tokenPath)).toEqual(['o365_token.txt']);
      await stage.signIn(account);
      expect((await account.getCurrentUser()).userPrincipalName).toBe(ADA);
      const others = (await readdir(tokenPath)).filter((name) => name.includes('corrupt'));
      expect(await Promise.all(others.map((name) => readFile(join(tokenPath, name), 'utf8')))).toEqual([text]);
    } finally {
      await rm(tokenPath, { recursive: true, force: true });
    }
  });
});
