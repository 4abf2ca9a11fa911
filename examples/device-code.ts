// Sign-in on a machine without a browser, in two steps. The flow is plain JSON: another process can wait for its end.
import { Account, type DeviceFlow, deviceCodeConsent } from '@tokenry/core';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { surroundings } from './dev.ts';

const USER = 'ada@contoso.example';
const { clientId, accountOptions, authority } = await surroundings(USER);
const tokenBackend = new FileSystemTokenBackend({ tokenPath: '.tokenry/device-code' });
await using account = new Account([clientId], { ...accountOptions, tokenBackend, scopes: 'basic' });

// First step: tell the person.
const flow: DeviceFlow = await account.initiateDeviceFlow();
console.log(flow.message);
await authority?.approveDevice(flow.userCode, USER); // with your own CLIENT_ID, this is you

// Second step, here or elsewhere: wait. The server's pace is kept, and `signal` ends the wait.
const { account: who } = await account.acquireTokenByDeviceFlow(JSON.parse(JSON.stringify(flow)), {
  signal: AbortSignal.timeout(flow.expiresAt - Date.now()),
});
console.log(`Signed in as ${who.username}`);

// The same in one call.
const show = async ({ message, userCode }: DeviceFlow) => {
  console.log(message);
  await authority?.approveDevice(userCode, USER);
};
const result = await account.authenticate({ handleConsent: deviceCodeConsent({ show }) });
console.log(`Granted: ${result.scopes.map((scope) => scope.split('/').at(-1)).join(' ')}`);
