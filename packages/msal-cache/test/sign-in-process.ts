import { writeFile } from 'node:fs/promises';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { createCachePlugin } from '@tokenry/msal-cache';
import { publicApp } from './msal-versions.ts';
import { plainFilePlugin } from './plain-file-plugin.ts';
import { accountOf, nameOf, SCOPES, StubNetwork } from './stub-network.ts';

/**
 * A program of its own that signs users in (or refreshes them) through a cache that it shares with others.
 * Arguments: folder, plugin (`tokenry` or `plain`), work (`sign-in` or `refresh`), first user, number of users, file for the errors.
 */
const [folder = '', plugin, work, first, count, report = ''] = process.argv.slice(2);

const backend = new FileSystemTokenBackend({ tokenPath: folder });
const cachePlugin = plugin === 'plain' ? plainFilePlugin(`${folder}/o365_token.txt`) : createCachePlugin(backend);
const network = new StubNetwork({ delayMs: () => 5 });
const errors: string[] = [];

for (let user = Number(first); user < Number(first) + Number(count); user++) {
  const app = publicApp({ network, cachePlugin });
  const call =
    work === 'refresh'
      ? app.acquireTokenSilent({ account: accountOf(user), scopes: SCOPES })
      : app.acquireTokenByUsernamePassword({ scopes: SCOPES, username: nameOf(user), password: 'password-TEST-1' });
  await call.catch((error: Error) => errors.push(`${error.name}: ${error.message}`));
}
await backend.close();
await writeFile(report, JSON.stringify(errors));
