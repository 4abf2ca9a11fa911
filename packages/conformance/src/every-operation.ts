import type { TokenBackend } from '@tokenry/core/backend';
import { bytes } from './bytes.js';
import { listed } from './listed.js';
import type { Operation } from './rejections.js';
import { signedIn, signIn } from './sample-tokens.js';

/** Everything that asks the store something about `key`, by name. With `signal` each of them gets it. */
export function everyOperation(
  backend: TokenBackend,
  key: string,
  signal?: AbortSignal,
): readonly (readonly [string, Operation])[] {
  const options = signal ? { tokenKey: key, signal } : { tokenKey: key };
  const how = signal ? { signal } : {};
  const listings: readonly (readonly [string, Operation])[] = [
    ['records.list', async () => listed(backend.records.list(how))],
    ['listKeys', async () => listed(backend.listKeys(how))],
  ];
  return [
    ['records.read', async () => backend.records.read(key, how)],
    ['records.write', async () => backend.records.write(key, bytes('{"late":true}'), { expect: 'anything', ...how })],
    ['records.remove', async () => backend.records.remove(key, { expect: 'anything', ...how })],
    ['loadToken', async () => backend.loadToken(options)],
    ['loadToken({ fresh: true })', async () => backend.loadToken({ ...options, fresh: true })],
    ['checkToken', async () => backend.checkToken(options)],
    ['saveToken', async () => backend.saveToken(signedIn('late'), options)],
    ['updateToken', async () => backend.updateToken((cache) => signIn(cache, 'late'), options)],
    ['deleteToken', async () => backend.deleteToken(options)],
    ...(backend.capabilities.list ? listings : []),
  ];
}
