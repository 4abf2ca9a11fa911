// Functions without a server, which share one Firestore collection: nothing may happen after the answer was sent.
//
//   docker compose -f services/compose.yaml up firestore --wait
//   METADATA_SERVER_DETECTION=none node_modules/.bin/node examples/firestore.ts --host 127.0.0.1:8080 --project demo-tokenry
import { parseArgs } from 'node:util';
import { Account } from '@tokenry/core';
import { FirestoreTokenBackend, type FirestoreTokenBackendOptions } from '@tokenry/firestore';
import { localAuthority } from './dev.ts';

// Without a host: Google's, with project and credentials from where the vendor's SDK always looks for them.
const { host, project } = parseArgs({ options: { host: { type: 'string' }, project: { type: 'string' } } }).values;
const clientOptions: FirestoreTokenBackendOptions['clientOptions'] = {
  ...(project ? { projectId: project } : {}),
  ...(host ? { host, ssl: false } : {}),
};
await using authority = await localAuthority({ accessTokenSeconds: 120, refreshTokens: 'one-time-revoking' });

/** One instance of the function, with memory of its own. */
const instance = () => {
  const tokenBackend = new FirestoreTokenBackend({ collection: 'tokenry-example', clientOptions });
  const options = { ...authority.accountOptions, tokenBackend, scopes: 'basic' };
  // A refresh in the background would be frozen with the instance: here it is waited for.
  return { tokenBackend, account: new Account(['function'], { ...options, backgroundRefresh: false }) };
};
const instances = [instance(), instance()] as const;
const [signIn, mail] = instances;

const tokenKey = 'Ada@Contoso'; // any text: it becomes the id of a document, =41da=40=43ontoso
await signIn.account.forKey(tokenKey).authenticate({ handleConsent: authority.consentAs('ada@contoso.example') });
const keys: string[] = [];
for await (const key of mail.tokenBackend.listKeys()) keys.push(key);
console.log(`in the collection: ${keys.join(', ')}`);

const me = (await (await mail.account.forKey(tokenKey).connection.get('/me')).json()) as { displayName: string };
console.log(`another instance, GET /me: ${me.displayName}`);

authority.setAccessTokenSeconds(3_600);
const callers = instances.flatMap(({ account }) => Array.from({ length: 20 }, () => account.forKey(tokenKey)));
await Promise.all(callers.map((caller) => caller.getAccessToken({ minimumLifetimeMs: 600_000 })));
console.log(`callers: ${callers.length}, refreshes: ${authority.calls({ grantType: 'refresh_token' }).length}`);

await mail.tokenBackend.deleteToken({ tokenKey });
console.log(`signed in after the record was deleted: ${await mail.account.forKey(tokenKey).isAuthenticated()}`);
for (const { account, tokenBackend } of instances) {
  await account.close();
  await tokenBackend.close();
}
