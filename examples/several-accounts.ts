// Several people in one program: all in one record, or one record for each.
import { Account, AmbiguousAccountError, loopbackConsent } from '@tokenry/core';
import { MemoryTokenBackend } from '@tokenry/memory';
import { localAuthority } from './dev.ts';

const [ADA, BEN] = ['ada@contoso.example', 'ben@contoso.example'];
await using authority = await localAuthority({ users: [{ username: ADA }, { username: BEN }] });
const signIn = (account: Account, username: string) =>
  account.authenticate({ handleConsent: loopbackConsent({ openBrowser: authority.openBrowserAs(username) }) });
const nameOf = async (account: Account) => (await account.getCurrentUser()).displayName;

const options = { ...authority.accountOptions, tokenBackend: new MemoryTokenBackend(), scopes: 'basic' };
await using account = new Account(['mail-merge'], options);

// 1. One record: whoever signed in last is selected; assign `username` to switch. No sign-in, no request.
await signIn(account, ADA);
await signIn(account, BEN);
console.log(`after two sign-ins: ${await nameOf(account)}`);
account.username = ADA;
console.log(`after switching: ${await nameOf(account)}`);
console.log(`in the record: ${(await account.getAuthenticatedUsernames()).toSorted().join(', ')}`);

// Nobody selected where several live is an error, never "the first one".
const nobody = new Account(['mail-merge'], options);
await nobody.getAccessToken().catch((error: unknown) => {
  if (!AmbiguousAccountError.is(error)) throw error;
  console.log(`nobody selected: ${error.code}, ${error.homeAccountIds.length} accounts`);
});

// 2. A record for each: views are cheap, make one per request.
for (const [tokenKey, username] of [
  ['customer-1', ADA],
  ['customer-2', BEN],
] as const) {
  await signIn(account.forKey(tokenKey), username);
}
console.log(`customer-1 is ${await nameOf(account.forKey('customer-1'))}`);
console.log(`customer-2 is ${await nameOf(account.forKey('customer-2'))}`);

await account.forKey('customer-2').signOut();
console.log(`customer-2 is signed in: ${await account.forKey('customer-2').isAuthenticated()}`);
