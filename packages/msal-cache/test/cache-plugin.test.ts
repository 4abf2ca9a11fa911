import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ICachePlugin as Msal7Plugin } from '@azure/msal-node';
import {
  BackendAccessDeniedError,
  BackendUnavailableError,
  CapabilityError,
  invalidArgument,
  RecordCorruptError,
  RecordTooLargeError,
} from '@tokenry/core/backend';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { MemoryTokenBackend } from '@tokenry/memory';
import { createCacheClient, createCachePlugin, createPartitionManager, identityPlugin } from '@tokenry/msal-cache';
import type { ICachePlugin as Msal3Plugin } from 'msal-node-3';
import type { ICachePlugin as Msal5Plugin } from 'msal-node-5';
import type { ICachePlugin as Msal6Plugin } from 'msal-node-6';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { confidentialApp, msalVersions, publicApp } from './msal-versions.js';
import { refreshTokensIn, sectionIn, store, usernamesIn } from './records.js';
import { SlowBackend } from './slow-backend.js';
import { accountOf, homeOf, nameOf, recordOf, refreshToken, SCOPES, StubNetwork } from './stub-network.js';

/** A store that can be switched off. */
class SwitchedBackend extends MemoryTokenBackend {
  reads = true;
  writes = true;
  refusal: Error | undefined;
  protected override async readRecord(name: string) {
    if (!this.reads) throw new BackendUnavailableError('switched off');
    return super.readRecord(name);
  }
  protected override async writeRecord(...args: Parameters<MemoryTokenBackend['writeRecord']>) {
    if (!this.writes) throw new BackendUnavailableError('switched off');
    if (this.refusal) throw this.refusal;
    return super.writeRecord(...args);
  }
}

/** A store that takes nothing before `until`. */
class HeldBackend extends MemoryTokenBackend {
  writes = 0;
  readonly #until: Promise<void>;
  constructor(until: Promise<void>) {
    super();
    this.#until = until;
  }
  protected override async writeRecord(...args: Parameters<MemoryTokenBackend['writeRecord']>) {
    this.writes += 1;
    await this.#until;
    return super.writeRecord(...args);
  }
}

/** A store that does not say at once that it has written. */
class LateAnswers extends FileSystemTokenBackend {
  isLate = false;
  readonly written = Promise.withResolvers<void>();
  readonly answer = Promise.withResolvers<void>();
  beforeNextReadEnds: (() => Promise<void>) | undefined;
  protected override async writeRecord(...args: Parameters<FileSystemTokenBackend['writeRecord']>) {
    const version = await super.writeRecord(...args);
    this.written.resolve();
    if (this.isLate) await this.answer.promise;
    return version;
  }
  protected override async readRecord(...args: Parameters<FileSystemTokenBackend['readRecord']>) {
    const found = await super.readRecord(...args);
    const before = this.beforeNextReadEnds;
    this.beforeNextReadEnds = undefined;
    await before?.();
    return found;
  }
}

let backend: SwitchedBackend;
let network: StubNetwork;
beforeEach(() => {
  backend = new SwitchedBackend();
  network = new StubNetwork();
});

describe.each(msalVersions)('with msal-node %s', (version, msal) => {
  const app = () => publicApp({ network, msal, cachePlugin: createCachePlugin(backend, { freshReads: true }) });
  const signIn = (user: number, client = app()) =>
    client.acquireTokenByUsernamePassword({ scopes: SCOPES, username: nameOf(user), password: 'password-TEST-1' });

  it('a sign-in is stored, and another application is served from it', async () => {
    await signIn(1);
    const result = await app().acquireTokenSilent({ account: accountOf(1), scopes: SCOPES });
    expect([result.fromCache, result.accessToken, network.questions.length]).toEqual([true, 'at-TEST-1-0', 1]);
  });

  it('an account that another process removed stays removed when a third one signs in', async () => {
    const [first, second] = [app(), app()];
    await signIn(1, first);
    const [account] = await second.getTokenCache().getAllAccounts();
    if (!account) throw new Error('no account');
    await second.getTokenCache().removeAccount(account);
    await signIn(2, first);
    expect([await usernamesIn(backend), await refreshTokensIn(backend)]).toEqual([[nameOf(2)], [refreshToken(2, 0)]]);
  });

  it('a refresh that answers after another process signed the user in again does not replace the new refresh token', async () => {
    await signIn(1);
    const late = Promise.withResolvers<void>();
    const slow = new StubNetwork();
    const first = publicApp({ network: slow, msal, cachePlugin: createCachePlugin(backend, { freshReads: true }) });
    slow.until = late.promise;
    const refreshed = first.acquireTokenSilent({ account: accountOf(1), scopes: SCOPES, forceRefresh: true });
    await vi.waitFor(() => expect(slow.refreshes()).toBe(1));
    network.answer = ({ grantType }) => (grantType === 'password' ? network.tokensFor(1, 7) : undefined);
    await signIn(1);
    late.resolve();
    expect((await refreshed).accessToken).toBe('at-TEST-1-1');
    expect(await refreshTokensIn(backend)).toEqual([refreshToken(1, 7)]);
    // The other way round: what answers last was asked for last.
    await first.acquireTokenSilent({ account: accountOf(1), scopes: SCOPES, forceRefresh: true });
    expect(await refreshTokensIn(backend)).toEqual([refreshToken(1, 2)]);
    network.answer = undefined;
    await signIn(1, first);
    expect(await refreshTokensIn(backend)).toHaveLength(1);
  });

  it('removing the last account leaves an empty record', async () => {
    await signIn(1);
    const client = app();
    const [account] = await client.getTokenCache().getAllAccounts();
    if (!account) throw new Error('no account');
    await client.getTokenCache().removeAccount(account);
    expect(await refreshTokensIn(backend)).toEqual([]);
    expect(await backend.loadToken({ fresh: true })).toMatchObject({ hasData: false });
  });

  it('users of a shared confidential client are kept in records of their own', async () => {
    let current = '';
    const client = confidentialApp({ network, msal, cachePlugin: createCachePlugin(backend, { tokenKey: async () => current }) });
    for (const user of [1, 2, 3]) {
      current = `session-${user}`;
      await client.acquireTokenByCode({ code: `code${user}`, redirectUri: 'http://localhost', scopes: SCOPES });
    }
    const stored = await Promise.all([1, 2, 3].map((user) => usernamesIn(backend, `session-${user}`)));
    expect(stored).toEqual([[nameOf(1)], [nameOf(2)], [nameOf(3)]]);
    expect((await client.getTokenCache().getAllAccounts()).map(({ username }) => username)).toEqual([nameOf(3)]);
    current = 'session-2';
    expect((await client.acquireTokenSilent({ account: accountOf(2), scopes: SCOPES })).accessToken).toBe('at-TEST-2-0');
  });

  it('a refresh keeps one refresh token, whichever version wrote the record', async () => {
    await signIn(1);
    for (const [, other] of msalVersions) {
      const client = publicApp({ network, msal: other, cachePlugin: createCachePlugin(backend) });
      await client.acquireTokenSilent({ account: accountOf(1), scopes: SCOPES, forceRefresh: true });
    }
    await app().acquireTokenSilent({ account: accountOf(1), scopes: SCOPES, forceRefresh: true });
    const sent = network.questions.map(({ parameters }) => parameters.refresh_token).filter((secret) => secret !== undefined);
    expect(sent).toEqual([0, 1, 2, 3, 4].map((generation) => refreshToken(1, generation)));
    expect(await refreshTokensIn(backend)).toEqual([refreshToken(1, 5)]);
  });

  it('a record of MSAL Python is brought into the form of msal-node: each refresh spends the newest token', async () => {
    const foreign = recordOf(1, { expired: true })
      .replaceAll('login.windows.net', 'login.microsoftonline.com')
      .replaceAll(/(refreshtoken-[\w-]+)---"/g, '$1--user.read"');
    await store(backend, foreign);
    for (let round = 0; round < 3; round++)
      await app().acquireTokenSilent({ account: accountOf(0), scopes: SCOPES, forceRefresh: true });
    const sent = network.questions.map(({ parameters }) => parameters.refresh_token);
    expect(sent).toEqual([0, 1, 2].map((generation) => refreshToken(0, generation)));
    const client = app();
    const [account] = await client.getTokenCache().getAllAccounts();
    if (!account) throw new Error('no account');
    await client.getTokenCache().removeAccount(account);
    expect(await refreshTokensIn(backend)).toEqual([]);
  });

  it('a refresh token that the server refused with bad_token is removed from the store', async () => {
    await store(backend, recordOf(2, { expired: true }));
    const client = app();
    network.answer = ({ grantType }) =>
      grantType === 'refresh_token'
        ? { error: 'invalid_grant', suberror: 'bad_token', error_description: 'AADSTS70000', error_codes: [70000] }
        : undefined;
    const silent = () => client.acquireTokenSilent({ account: accountOf(0), scopes: SCOPES });
    await expect(silent()).rejects.toMatchObject({ subError: 'bad_token' });
    await vi.waitFor(async () => expect(await refreshTokensIn(backend)).toEqual([refreshToken(1, 0)]));
    await expect(silent()).rejects.toMatchObject({ errorCode: 'no_tokens_found' });
    expect([network.refreshes(), await usernamesIn(backend)]).toEqual([1, [nameOf(0), nameOf(1)]]);
  });

  it('an access whose read failed writes nothing', async () => {
    await store(backend, recordOf(3));
    const client = app();
    await client.getTokenCache().getAllAccounts();
    const before = await backend.records.read(backend.defaultTokenKey);
    backend.reads = false;
    await expect(signIn(7, client)).rejects.toBeInstanceOf(BackendUnavailableError);
    await expect(client.getTokenCache().removeAccount({ ...accountOf(1) })).rejects.toBeInstanceOf(BackendUnavailableError);
    backend.reads = true;
    expect(await backend.records.read(backend.defaultTokenKey)).toEqual(before);
  });

  it('a record that is no token cache is a typed error each time, and stays as it is', async () => {
    await backend.records.write(backend.defaultTokenKey, Buffer.from('{"Account":'), { expect: 'anything' });
    const client = app();
    for (const call of [() => signIn(1, client), () => client.getTokenCache().getAllAccounts()])
      await expect(call()).rejects.toBeInstanceOf(RecordCorruptError);
    const record = await backend.records.read(backend.defaultTokenKey);
    expect(record !== 'not-modified' && Buffer.from(record?.data ?? []).toString()).toBe('{"Account":');
    await store(backend, recordOf(1));
    expect(await client.getTokenCache().getAllAccounts()).toHaveLength(1);
  });

  it('tokens that the store could not take are shown to later calls and saved with the next change', async () => {
    await store(backend, recordOf(2, { expired: true }));
    const client = app();
    backend.writes = false;
    await expect(client.acquireTokenSilent({ account: accountOf(0), scopes: SCOPES })).rejects.toBeInstanceOf(
      BackendUnavailableError,
    );
    const again = await client.acquireTokenSilent({ account: accountOf(0), scopes: SCOPES });
    expect([again.fromCache, again.accessToken]).toEqual([true, 'at-TEST-0-1']);
    backend.writes = true;
    await client.acquireTokenSilent({ account: accountOf(1), scopes: SCOPES });
    await vi.waitFor(async () =>
      expect((await refreshTokensIn(backend)).sort()).toEqual([refreshToken(0, 1), refreshToken(1, 1)]),
    );
    expect(network.refreshes()).toBe(2);
  });

  it('fields and sections that msal-node does not know survive', async () => {
    const record = JSON.parse(recordOf(1, { expired: true })) as Record<string, Record<string, object>>;
    Object.assign(Object.values(record.Account ?? {})[0] ?? {}, { favourite: 'tea' });
    await store(backend, JSON.stringify({ ...record, Notes: { of: 'somebody' } }));
    await app().acquireTokenSilent({ account: accountOf(0), scopes: SCOPES });
    expect(Object.values(await sectionIn(backend, 'Account'))[0]).toMatchObject({ favourite: 'tea', home_account_id: homeOf(0) });
    expect(await sectionIn(backend, 'Notes')).toEqual({ of: 'somebody' });
    expect(await refreshTokensIn(backend)).toEqual([refreshToken(0, 1)]);
  });

  it('a memory that was cleared during a write removes nothing from the store', async () => {
    await store(backend, recordOf(3));
    const plugin = createCachePlugin(backend);
    const client = publicApp({
      network,
      msal,
      cachePlugin: {
        beforeCacheAccess: async (context) => {
          await plugin.beforeCacheAccess(context);
          if (context.cacheHasChanged) client.clearCache();
        },
        afterCacheAccess: (context) => plugin.afterCacheAccess(context),
      },
    });
    await signIn(7, client);
    expect(await usernamesIn(backend)).toEqual([0, 1, 2, 7].map(nameOf));
  });

  it('application tokens are kept and found again', async () => {
    const make = () => confidentialApp({ network, msal, cachePlugin: createCachePlugin(backend) });
    const request = { scopes: ['https://graph.microsoft.com/.default'] };
    await make().acquireTokenByClientCredential(request);
    expect((await make().acquireTokenByClientCredential(request))?.fromCache).toBe(true);
    expect(network.questions).toHaveLength(1);
  });

  it('works although nothing was stored yet', async () => {
    expect([version, await app().getTokenCache().getAllAccounts()]).toEqual([version, []]);
  });
});

it('a call while a rotated token is on its way to the store uses that token', async () => {
  const slow = new SlowBackend(30);
  await store(slow, recordOf(1, { expired: true }));
  const oneTime = new StubNetwork({ oneTime: true });
  const apps = [1, 2].map(() => publicApp({ network: oneTime, cachePlugin: createCachePlugin(slow, { freshReads: true }) }));
  const [first, second] = apps;
  if (!first || !second) throw new Error('two apps');
  const saving = first.acquireTokenSilent({ account: accountOf(0), scopes: SCOPES });
  await vi.waitFor(() => expect(oneTime.refreshes()).toBe(1));
  await Promise.all([saving, ...Array.from({ length: 20 }, () => second.getTokenCache().getAllAccounts())]);
  expect((await second.acquireTokenSilent({ account: accountOf(0), scopes: SCOPES, forceRefresh: true })).accessToken).toBe(
    'at-TEST-0-2',
  );
});

it('a call whose read is overtaken by the end of a slow save shows what another process wrote since', async () => {
  const tokenPath = await mkdtemp(join(tmpdir(), 'msal-cache-'));
  onTestFinished(() => rm(tokenPath, { recursive: true, force: true }));
  const [slow, other] = [new LateAnswers({ tokenPath }), new FileSystemTokenBackend({ tokenPath })];
  await store(other, recordOf(2));
  const client = publicApp({ network, cachePlugin: createCachePlugin(slow) });
  slow.isLate = true;
  const saving = client.acquireTokenByUsernamePassword({ scopes: SCOPES, username: nameOf(7), password: 'password-TEST-1' });
  await slow.written.promise;
  await other.updateToken((cache) => void cache.removeAccount({ username: nameOf(1) }));
  slow.beforeNextReadEnds = async () => {
    slow.answer.resolve();
    await saving;
  };
  const seen = await client.getTokenCache().getAllAccounts();
  expect(seen.map(({ username }) => username).sort()).toEqual([nameOf(0), nameOf(7)]);
});

it('a call that asks the store is not answered from the memory that another call was content with meanwhile', async () => {
  const tokenPath = await mkdtemp(join(tmpdir(), 'msal-cache-'));
  onTestFinished(() => rm(tokenPath, { recursive: true, force: true }));
  const [slow, other] = [new LateAnswers({ tokenPath }), new FileSystemTokenBackend({ tokenPath })];
  await store(other, recordOf(2));
  const [content, asks] = [false, true].map((freshReads) =>
    publicApp({ network, cachePlugin: createCachePlugin(slow, { freshReads }) }).getTokenCache(),
  );
  expect(await content?.getAllAccounts()).toHaveLength(2);
  await other.updateToken((cache) => void cache.removeAccount({ username: nameOf(1) }));
  slow.beforeNextReadEnds = async () => {
    expect(await content?.getAllAccounts()).toHaveLength(2);
  };
  expect((await asks?.getAllAccounts())?.map(({ username }) => username)).toEqual([nameOf(0)]);
});

it('a call whose read ends late shows what a call that began after it was told by the store', async () => {
  const tokenPath = await mkdtemp(join(tmpdir(), 'msal-cache-'));
  onTestFinished(() => rm(tokenPath, { recursive: true, force: true }));
  const [slow, other] = [new LateAnswers({ tokenPath }), new FileSystemTokenBackend({ tokenPath })];
  await store(other, recordOf(2));
  const usernames = async () => {
    const client = publicApp({ network, cachePlugin: createCachePlugin(slow, { freshReads: true }) });
    return (await client.getTokenCache().getAllAccounts()).map(({ username }) => username);
  };
  slow.beforeNextReadEnds = async () => {
    await other.updateToken((cache) => void cache.removeAccount({ username: nameOf(1) }));
    expect(await usernames()).toEqual([nameOf(0)]);
  };
  expect(await usernames()).toEqual([nameOf(0)]);
});

const disk = Object.assign(new Error('read-only file system'), { code: 'EROFS' });
it.each([new BackendAccessDeniedError('read-only'), disk, new TypeError('fetch failed')])(
  'tokens that the store refused are kept all the same: %s',
  async (refusal) => {
    await store(backend, recordOf(2, { expired: true }));
    const client = publicApp({ network, cachePlugin: createCachePlugin(backend) });
    backend.refusal = refusal;
    await expect(client.acquireTokenSilent({ account: accountOf(0), scopes: SCOPES })).rejects.toBe(refusal);
    const again = await client.acquireTokenSilent({ account: accountOf(0), scopes: SCOPES });
    expect([again.fromCache, again.accessToken]).toEqual([true, 'at-TEST-0-1']);
    backend.refusal = undefined;
    await client.acquireTokenSilent({ account: accountOf(1), scopes: SCOPES });
    await vi.waitFor(async () =>
      expect((await refreshTokensIn(backend)).sort()).toEqual([refreshToken(0, 1), refreshToken(1, 1)]),
    );
  },
);

it.each([
  ['it is too large', new RecordTooLargeError('key', { bytes: 2, maxRecordBytes: 1 })],
  ['it has no such ability', new CapabilityError('read-only')],
  ['it refuses the key', invalidArgument('tokenKey: too long')],
])('a change that the store could never hold keeps no later change out: %s', async (_why, refusal) => {
  await store(backend, recordOf(2, { expired: true }));
  const client = publicApp({ network, cachePlugin: createCachePlugin(backend) });
  backend.refusal = refusal;
  await expect(client.acquireTokenSilent({ account: accountOf(0), scopes: SCOPES })).rejects.toBeInstanceOf(refusal.constructor);
  backend.refusal = undefined;
  await client.acquireTokenSilent({ account: accountOf(1), scopes: SCOPES });
  expect((await refreshTokensIn(backend)).sort()).toEqual([refreshToken(0, 0), refreshToken(1, 1)]);
});

it('many changes during one slow write are saved by one more', async () => {
  const held = Promise.withResolvers<void>();
  const slow = new HeldBackend(held.promise);
  const plugin = createCachePlugin(slow);
  let ended = 0;
  const counted: Msal7Plugin = {
    beforeCacheAccess: (context) => plugin.beforeCacheAccess(context),
    afterCacheAccess: (context) => {
      const saved = plugin.afterCacheAccess(context);
      ended += 1;
      return saved;
    },
  };
  const client = publicApp({ network, cachePlugin: counted });
  const signedIn = Array.from({ length: 40 }, (_, user) =>
    client.acquireTokenByUsernamePassword({ scopes: SCOPES, username: nameOf(user), password: 'password-TEST-1' }),
  );
  await vi.waitFor(() => expect(ended).toBe(40), { timeout: 10_000 });
  held.resolve();
  await Promise.all(signedIn);
  expect([(await refreshTokensIn(slow)).length, slow.writes]).toEqual([40, 2]);
});

it('its types fit those of every version', () => {
  const plugin: Msal3Plugin & Msal5Plugin & Msal6Plugin & Msal7Plugin = createCachePlugin(backend);
  expect(Object.keys(plugin)).toEqual([]);
});

describe('wrong arguments are refused by name:', () => {
  it('a backend that is none', () => {
    expect(() => createCachePlugin({} as MemoryTokenBackend)).toThrow(
      expect.objectContaining({ code: 'TOKENRY_INVALID_ARGUMENT', message: expect.stringContaining('token backend') }),
    );
  });
  it('an unknown option', () => {
    const options = { tokenkey: 'x' } as object;
    expect(() => createCachePlugin(new MemoryTokenBackend(), options)).toThrow(
      expect.objectContaining({ code: 'TOKENRY_UNKNOWN_OPTION', message: expect.stringContaining('did you mean "tokenKey"') }),
    );
  });
  it('a token key that is neither text nor function', () => {
    expect(() => createCachePlugin(new MemoryTokenBackend(), { tokenKey: 7 as unknown as string })).toThrow(TypeError);
  });
  it.each([undefined, null, 7])(
    'a function that names no record, but %s: that is nobody, and not the default record',
    async (key) => {
      const tokenKey = () => key as unknown as string;
      await store(backend, recordOf(1));
      const made: Promise<unknown>[] = [];
      const setPersistence = (factory: () => Promise<unknown>) => void made.push(refused(factory()));
      identityPlugin(backend, { tokenKey })({ cachePluginControl: { setPersistence } });
      await Promise.all(made);
      await refused(
        publicApp({ network, cachePlugin: createCachePlugin(backend, { tokenKey }) })
          .getTokenCache()
          .getAllAccounts(),
      );
      await refused(createPartitionManager({ getKey: tokenKey, partitionKey: tokenKey }).getKey());
      await refused(createPartitionManager({ getKey: () => '', partitionKey: tokenKey }).extractKey({ homeAccountId: 'ada' }));
      await refused(createCacheClient(backend).get(tokenKey()));
      await refused(createCacheClient(backend).set(tokenKey(), '{}'));
    },
  );
});

const refused = (work: Promise<unknown>) =>
  expect(work).rejects.toThrow(expect.objectContaining({ code: 'TOKENRY_INVALID_ARGUMENT' }));
