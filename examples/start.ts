/**
 * The main job, end to end, with real processes and a real authorization server on this machine: an account signs in, its
 * tokens land in a file, a second process uses them without signing in and refreshes them, and the first one adopts what
 * the second obtained.
 *
 *   npm start                     a script plays the person at the browser
 *   npm start -- --interactive    opens your browser, you sign in
 */
import { fork } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import { Account, loopbackConsent } from '@tokenry/core';
import { startDevAuthority } from '@tokenry/dev-authority';
import { FileSystemTokenBackend } from '@tokenry/filesystem';

const USER = 'ada@contoso.example';
const CLIENT_ID = 'tokenry-start';
const tokenPath = fileURLToPath(new URL('../.tokenry/start', import.meta.url));

const { values: options } = parseArgs({
  options: { interactive: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
});
if (options.help) {
  console.log(
    'npm start [-- --interactive]\n\n  --interactive   sign in yourself, in your own browser\n  --help          this text',
  );
  process.exit(0);
}

let steps = 0;
const step = (text: string) => console.log(`${styleText(['bold', 'cyan'], `${++steps}.`)} ${text}`);
const detail = (text: string) => console.log(`   ${styleText('dim', text)}`);

console.log(styleText('bold', 'Tokenry: sign in once, use it from every process.\n'));
await rm(tokenPath, { recursive: true, force: true });

step('Start an authorization server on this machine');
await using authority = await startDevAuthority({ users: [{ username: USER }], refreshTokens: 'one-time-revoking' });
detail(`${authority.accountOptions.cloud.authority}; its refresh tokens work once, a second use would end the session`);

const tokenBackend = new FileSystemTokenBackend({ tokenPath });
const account = new Account([CLIENT_ID], { ...authority.accountOptions, tokenBackend, scopes: 'basic' });

step(
  options.interactive
    ? 'Sign in: your browser opens (it will warn about the certificate of this test server)'
    : `Sign in as ${USER}`,
);
const openBrowser = options.interactive ? {} : { openBrowser: authority.openBrowserAs(USER) };
const { account: who, tokenKey } = await account.authenticate({ handleConsent: loopbackConsent(openBrowser) });
detail(`${who.name ?? who.username}, account ${who.homeAccountId}`);

const file = `${tokenPath}/${tokenKey}`;
const { mode, size } = await stat(file);
step('The tokens are in a file');
detail(`${file} (${size} bytes, mode ${(mode & 0o777).toString(8)})`);

step('Call the API');
const me = (await (await account.connection.get('/me')).json()) as { displayName: string };
detail(`GET /me: ${me.displayName}`);
const first = await account.getAccessToken();

step('Start a second process: it signs in nobody, calls the API, and refreshes');
for (const line of await secondProcess()) detail(line);

step('The first process needs a fresher token: it adopts the one that the second process stored');
const lifetime = first.expiresAt - Date.now();
const adopted = await account.getAccessToken({ minimumLifetimeMs: lifetime });
const refreshes = authority.calls({ grantType: 'refresh_token' }).length;
if (adopted.token === first.token) throw new Error('the first process still has its old token');
if (refreshes !== 1) throw new Error(`the authorization server saw ${refreshes} refreshes instead of 1`);
detail(
  `token calls in all: ${authority
    .calls()
    .map((call) => call.grantType)
    .join(', ')}`,
);
await account.close();

console.log(`\n${styleText(['bold', 'green'], 'Done.')} One sign-in, one refresh, two processes, no token lost.\n`);
console.log(`Look at the file:        ${file}`);
console.log('Sign in yourself:        npm start -- --interactive');
console.log('Run the tests:           npm test');
console.log('More to read and run:    examples/ and README.md');

/** Runs the other process with what it needs to know, none of it secret, and returns what it did. */
function secondProcess(): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    let lines: readonly string[] | undefined;
    const child = fork(new URL('./start-second-process.ts', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.once('error', reject);
    child.once('message', (message) => {
      lines = message as readonly string[];
    });
    child.once('exit', (code) =>
      code === 0 && lines ? resolve(lines) : reject(new Error(`the second process ended with code ${code}`)),
    );
    child.send({ clientId: CLIENT_ID, tokenPath, accountOptions: authority.accountOptions });
  });
}
