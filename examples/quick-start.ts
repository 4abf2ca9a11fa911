// Sign in once, call the API, find the tokens again next time. Run it twice with your own CLIENT_ID: the second time nobody
// is asked.
import { Account, loopbackConsent } from '@tokenry/core';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { surroundings } from './dev.ts';

const { clientId, accountOptions, browser } = await surroundings('ada@contoso.example');

// A file in this folder. Leave `tokenPath` out for the user's state directory.
const tokenBackend = new FileSystemTokenBackend({ tokenPath: '.tokenry/quick-start' });
await using account = new Account([clientId], { ...accountOptions, tokenBackend, scopes: ['basic', 'mailbox'] });

// Opens the browser and listens on 127.0.0.1 for its return. Register `http://localhost` as redirect URI, type "Mobile and
// desktop applications".
if (!(await account.isAuthenticated())) await account.authenticate({ handleConsent: loopbackConsent(browser) });
console.log(`Signed in as ${account.username}`);

// Every request carries a token that is valid: refreshed when it must be, by one process of all that share the file.
const me = (await (await account.connection.get('/me')).json()) as { displayName: string };
console.log(`GET /me: ${me.displayName}`);

const inbox = await account.connection.get('/me/messages', { params: { $top: 5, $select: 'subject' } });
const { value } = (await inbox.json()) as { value: { subject: string }[] };
for (const { subject } of value) console.log(`- ${subject}`);

// Other clients take the token itself.
const { expiresAt } = await account.getAccessToken();
console.log(`The token is good until ${new Date(expiresAt).toISOString()}`);
