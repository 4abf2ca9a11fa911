/** The second process of `npm start`: knows where the record is, and nothing of the sign-in. */
import { once } from 'node:events';
import { Account, type Cloud } from '@tokenry/core';
import { FileSystemTokenBackend } from '@tokenry/filesystem';

interface Instructions {
  readonly clientId: string;
  readonly tokenPath: string;
  readonly accountOptions: { readonly cloud: Cloud; readonly ca: string; readonly tenantId: string };
}

const [message] = await once(process, 'message');
const { clientId, tokenPath, accountOptions } = message as Instructions;
const tokenBackend = new FileSystemTokenBackend({ tokenPath });
await using account = new Account([clientId], { ...accountOptions, tokenBackend, scopes: 'basic' });

const before = await account.getAccessToken();
const me = (await (await account.connection.get('/me')).json()) as { displayName: string };
const after = await account.connection.refreshToken();
if (after.token === before.token) throw new Error('the refresh brought no new token');

process.send?.([
  `process ${process.pid} found ${account.username} in the file; GET /me: ${me.displayName}`,
  `refreshed and saved; the new token is good until ${new Date(after.expiresAt).toISOString()}`,
]);
process.disconnect?.();
