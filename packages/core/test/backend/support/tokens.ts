import { TokenCache } from '../../../src/tokens/token-cache.js';

export const CLIENT = 'client-1';
export const ENVIRONMENT = 'login.microsoftonline.com';
export const homeOf = (name: string) => `${name}.tenant-1`;
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What a token endpoint answers for `name`; `generation` numbers its tokens. */
function answer(name: string, generation: number) {
  const claims = { oid: name, tid: 'tenant-1', preferred_username: `${name}@contoso.example`, sub: name };
  return {
    token_type: 'Bearer',
    access_token: `at-TEST-${name}-${generation}`,
    refresh_token: `rt-TEST-${name}-${generation}`,
    id_token: `${encoded({ alg: 'none' })}.${encoded(claims)}.`,
    client_info: encoded({ uid: name, utid: 'tenant-1' }),
    expires_in: 3600,
    scope: 'https://graph.microsoft.com/User.Read',
  };
}

export function signIn(cache: TokenCache, name: string, options: { generation?: number; now?: number } = {}): void {
  const { generation = 1, now } = options;
  cache.add({
    response: answer(name, generation),
    environment: ENVIRONMENT,
    clientId: CLIENT,
    tenantId: 'tenant-1',
    homeAccountId: homeOf(name),
    username: `${name}@contoso.example`,
    scopes: ['https://graph.microsoft.com/User.Read'],
    ...(now === undefined ? {} : { now }),
  });
}

export function signedIn(...names: string[]): TokenCache {
  const cache = new TokenCache();
  for (const name of names) signIn(cache, name);
  return cache;
}

/** A refresh of `name` as the coordinator commits it: from one generation of tokens to another. */
export function refreshed(from: TokenCache, name: string, to: number): (cache: TokenCache) => void {
  const spent = refreshTokenOf(from, name) ?? '';
  const slice = from.slice({
    homeAccountId: homeOf(name),
    clientId: CLIENT,
    tenantId: 'tenant-1',
    environment: ENVIRONMENT,
    now: () => Date.now(),
  });
  slice.add({ response: answer(name, to) });
  return (cache) => void cache.applyRefresh(slice, { spent });
}

export function refreshTokenOf(cache: TokenCache | undefined, name: string): string | undefined {
  return cache?.getRefreshToken({ homeAccountId: homeOf(name) })?.secret;
}

export function namesIn(cache: TokenCache | undefined): string[] {
  return (cache?.getAccounts() ?? []).map(({ username }) => username.replace('@contoso.example', '')).sort();
}
