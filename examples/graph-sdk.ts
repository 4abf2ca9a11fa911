// The Microsoft Graph SDK, and anything that takes an Azure credential, on Tokenry's tokens.
import tls from 'node:tls';
import type { TokenCredential } from '@azure/core-auth';
import { Client } from '@microsoft/microsoft-graph-client';
import { Account, loopbackConsent } from '@tokenry/core';
import { MemoryTokenBackend } from '@tokenry/memory';
import { surroundings } from './dev.ts';

const { clientId, accountOptions, browser, authority } = await surroundings('ada@contoso.example');
await using account = new Account([clientId], {
  ...accountOptions,
  tokenBackend: new MemoryTokenBackend(),
  scopes: ['basic', 'mailbox'],
});
await account.authenticate({ handleConsent: loopbackConsent(browser) });

// The SDK makes its requests itself. For a server with a certificate of its own, Node.js must trust that; the SDK must know
// its host. With Entra ID you need neither.
if (authority) tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority.accountOptions.ca]);
const { protocolUrl } = account.protocol;

const client = Client.initWithMiddleware({
  authProvider: account.asGraphAuthProvider(), // asked before every request: the answer comes from memory
  baseUrl: protocolUrl,
  customHosts: new Set([new URL(protocolUrl).hostname]),
});
const me: { displayName: string } = await client.api('/me').get();
console.log(`Graph SDK, /me: ${me.displayName}`);
const messages: { value: unknown[] } = await client.api('/me/messages').top(2).get();
console.log(`Graph SDK, /me/messages: ${messages.value.length}`);

// Azure SDKs take a TokenCredential.
const credential: TokenCredential = account.asTokenCredential();
const got = await credential.getToken(`${protocolUrl}.default`);
console.log(`TokenCredential: good until ${new Date(got?.expiresOnTimestamp ?? 0).toISOString()}`);

// And everything that takes a `fetch`.
const response = await account.fetch(`${account.protocol.serviceUrl}me`);
console.log(`fetch: ${response.status}`);
