import type { TokenBackend } from '@tokenry/core/backend';

type Section = Record<string, Record<string, unknown>>;

export async function store(backend: TokenBackend, record: string, tokenKey = backend.defaultTokenKey): Promise<void> {
  await backend.records.write(tokenKey, Buffer.from(record), { expect: 'anything' });
}

/** A section of the stored record, decoded. */
export async function sectionIn(backend: TokenBackend, name: string, tokenKey = backend.defaultTokenKey): Promise<Section> {
  const cache = await backend.loadToken({ tokenKey, fresh: true });
  return (JSON.parse(cache?.serialize() ?? '{}') as Record<string, Section>)[name] ?? {};
}

export async function refreshTokensIn(backend: TokenBackend, tokenKey?: string): Promise<string[]> {
  return Object.values(await sectionIn(backend, 'RefreshToken', tokenKey)).map(({ secret }) => String(secret));
}

export async function usernamesIn(backend: TokenBackend, tokenKey = backend.defaultTokenKey): Promise<string[]> {
  const cache = await backend.loadToken({ tokenKey, fresh: true });
  return (cache?.getAccounts() ?? []).map(({ username }) => username).sort();
}
