import { beforeEach, describe, expect, it } from 'vitest';
import { type RecordAccess, recordAccessOf } from '../../src/backend/record-access.js';
import type { TokenCache } from '../../src/tokens/token-cache.js';
import { AsyncStore } from './support/async-store.js';
import { StoreBackend } from './support/store-backend.js';
import { TestClock } from './support/test-clock.js';
import { CLIENT, ENVIRONMENT, refreshed, refreshTokenOf, signedIn } from './support/tokens.js';

const KEY = 'user';

/** A store that wants to be written at most once in ten minutes, by anybody. */
class RationedBackend extends StoreBackend {
  waitMs = 600_000;
  readonly asked: string[] = [];
  protected override deferAccessTokensMs(name: string): number {
    this.asked.push(name);
    return this.waitMs;
  }
}

let clock: TestClock;
let store: AsyncStore;
let backend: RationedBackend;
let access: RecordAccess;
let other: StoreBackend;

beforeEach(async () => {
  clock = new TestClock();
  store = new AsyncStore();
  backend = new RationedBackend({ store, clock });
  access = recordAccessOf(backend);
  other = new StoreBackend({ store });
  await other.saveToken(signedIn('ada'), { tokenKey: KEY });
  await access.current(KEY);
});

/** What a refresh of an app-only token brings: nothing that a person would have to sign in again for. */
const appOnly =
  (secret: string) =>
  (cache: TokenCache): void =>
    cache.add({
      response: { token_type: 'Bearer', access_token: secret, expires_in: 3_600 },
      environment: ENVIRONMENT,
      clientId: CLIENT,
      tenantId: 'tenant-1',
      scopes: ['https://graph.microsoft.com/.default'],
      grantType: 'client_credentials',
    });
const accessTokens = (cache: TokenCache | undefined) =>
  [...(cache?.state.AccessToken.values() ?? [])].map(({ secret }) => secret).sort();
const stored = async () => other.loadToken({ tokenKey: KEY, fresh: true });

describe('a store whose writes are rationed', () => {
  it('keeps a refresh that brought only access tokens in memory, and serves it from there', async () => {
    const { write } = store.calls;
    const { saved } = await access.commit(KEY, appOnly('at-TEST-app-1'));
    expect([saved, access.hasPending(KEY), store.calls.write, backend.asked]).toEqual([true, false, write, [KEY]]);
    expect(accessTokens(access.peek(KEY)?.cache)).toEqual(['at-TEST-ada-1', 'at-TEST-app-1']);
    expect(accessTokens((await access.fresh(KEY))?.cache)).toEqual(['at-TEST-ada-1', 'at-TEST-app-1']);
    expect(accessTokens(await stored())).toEqual(['at-TEST-ada-1']);
  });

  it('writes a rotated refresh token at once, and what waited rides along', async () => {
    await access.commit(KEY, appOnly('at-TEST-app-1'));
    const record = await access.current(KEY);
    if (!record) throw new Error('absent');
    const { write } = store.calls;
    expect(await access.commit(KEY, refreshed(record.cache, 'ada', 2))).toMatchObject({ saved: true });
    expect(store.calls.write).toBe(write + 1);
    expect(refreshTokenOf(await stored(), 'ada')).toBe('rt-TEST-ada-2');
    expect(accessTokens(await stored())).toContain('at-TEST-app-1');
    expect(accessTokens(access.peek(KEY)?.cache)).toContain('at-TEST-app-1');
  });

  it('writes a rotated refresh token at once, although memory does not show the token that was spent for it', async () => {
    const [old] = [...store.records.values()];
    await other.updateToken((cache) => refreshed(cache, 'ada', 2)(cache), { tokenKey: KEY });
    const record = await access.fresh(KEY);
    if (!record || !old) throw new Error('absent');
    // A replica that lags behind answers, once.
    const { read } = store;
    store.read = async () => old;
    await access.fresh(KEY);
    store.read = read;
    expect(refreshTokenOf(access.peek(KEY)?.cache, 'ada')).toBe('rt-TEST-ada-1');
    expect(await access.commit(KEY, refreshed(record.cache, 'ada', 3))).toMatchObject({ saved: true });
    expect(refreshTokenOf(await stored(), 'ada')).toBe('rt-TEST-ada-3');
  });

  it('keeps nothing that comes when it is closed: nobody would write it', async () => {
    await backend.close();
    await access.fresh(KEY);
    await access.commit(KEY, appOnly('at-TEST-app-1'));
    expect([clock.sleeping, accessTokens(access.peek(KEY)?.cache)]).toEqual([0, ['at-TEST-ada-1']]);
  });

  it('writes what waited when its time has come, unless somebody else has just written', async () => {
    await access.commit(KEY, appOnly('at-TEST-app-1'));
    await clock.advance(599_000);
    expect(accessTokens(await stored())).toEqual(['at-TEST-ada-1']);
    // Still rationed when the time has come: another process wrote.
    await clock.advance(2_000);
    expect(accessTokens(await stored())).toEqual(['at-TEST-ada-1']);
    backend.waitMs = 0;
    await clock.advance(600_000);
    expect(accessTokens(await stored())).toEqual(['at-TEST-ada-1', 'at-TEST-app-1']);
  });

  it('writes at once within the ration', async () => {
    backend.waitMs = 0;
    await access.commit(KEY, appOnly('at-TEST-app-1'));
    expect(accessTokens(await stored())).toEqual(['at-TEST-ada-1', 'at-TEST-app-1']);
  });

  it('gives up what waits on close, without an error: the server issues it again', async () => {
    await access.commit(KEY, appOnly('at-TEST-app-1'));
    const { write } = store.calls;
    await backend.close();
    expect(store.calls.write).toBe(write);
  });

  it('leaves sign-ins and removals alone', async () => {
    const { write } = store.calls;
    await backend.updateToken((cache) => void cache.removeAccount({ username: 'ada@contoso.example' }), { tokenKey: KEY });
    expect([store.calls.write, backend.asked]).toEqual([write + 1, []]);
  });
});
