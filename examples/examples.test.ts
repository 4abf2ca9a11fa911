import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DevAuthority, startDevAuthority } from '@tokenry/dev-authority';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenry-examples-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** Starts an example as a person would, in an empty folder, without credentials or wishes for colour in the environment. */
function start(name: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
  const { CLIENT_ID: _id, CLIENT_SECRET: _secret, TENANT_ID: _tenant, DEV_AUTHORITY: _authority, ...others } = process.env;
  const { NO_COLOR: _plain, FORCE_COLOR: _colour, ...rest } = others;
  const child = spawn(process.execPath, [fileURLToPath(new URL(`./${name}`, import.meta.url))], {
    cwd: folder,
    env: { ...rest, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  return child;
}

/** Runs an example to its end; its output with what differs from run to run made the same. */
async function outputOf(name: string): Promise<string[]> {
  const child = start(name);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (output += data));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, output }).toEqual({ code: 0, output });
  return output
    .replaceAll(/localhost:\d+/g, 'localhost:PORT')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT')
    .replaceAll(/\b[A-Z\d]{4}-[A-Z\d]{4}\b/g, 'CODE')
    .trim()
    .split('\n');
}

const DEVICE_MESSAGE =
  'To sign in, use a web browser to open the page https://localhost:PORT/common/oauth2/deviceauth and enter the code CODE to authenticate.';

describe('examples', () => {
  it('start, which is npm start, does every step of the main job', async () => {
    const lines = await outputOf('start.ts');
    expect(lines.filter((line) => /^\d+\./.test(line))).toHaveLength(6);
    expect(lines.find((line) => line.includes('token calls in all'))?.trim()).toBe(
      'token calls in all: authorization_code, refresh_token',
    );
    expect(lines).toContain('Done. One sign-in, one refresh, two processes, no token lost.');
    expect(lines.join('')).not.toContain('\u001b');
  });

  it('start fails, and claims nothing, when the second process does not do its part', async () => {
    // Only a forked process has a channel to its parent.
    const child = start('start.ts', { NODE_OPTIONS: '--import=data:text/javascript,if(process.send)process.exit(3)' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (output += data));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, output]).toEqual([1, expect.stringContaining('the second process ended with code 3')]);
    expect(output).not.toContain('Done.');
  });

  it('start is in colour where colour is wanted', async () => {
    const child = start('start.ts', { FORCE_COLOR: '1' });
    let output = '';
    child.stdout?.on('data', (data) => (output += data));
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    expect(output).toContain('\u001b[32mDone.');
  });

  it('quick-start signs in, calls the API and lists messages', async () => {
    const lines = await outputOf('quick-start.ts');
    expect(lines.slice(0, 2)).toEqual(['Signed in as ada@contoso.example', 'GET /me: Ada Lovelace']);
    expect(lines.filter((line) => line.startsWith('- '))).toHaveLength(5);
    expect(lines.at(-1)).toBe('The token is good until INSTANT');
  });

  it('daemon-certificate speaks for itself, with one token call for many callers and nothing readable on disk', async () => {
    expect(await outputOf('daemon-certificate.ts')).toEqual([
      'GET /users: Ada Lovelace',
      'token calls: 1',
      'on disk: eyJhbGciOiJk… (encrypted)',
    ]);
  });

  it('several-accounts switches within a record and keeps a record for each', async () => {
    expect(await outputOf('several-accounts.ts')).toEqual([
      'after two sign-ins: Ben',
      'after switching: Ada',
      'in the record: ada@contoso.example, ben@contoso.example',
      'nobody selected: TOKENRY_AMBIGUOUS_ACCOUNT, 2 accounts',
      'customer-1 is Ada',
      'customer-2 is Ben',
      'customer-2 is signed in: false',
    ]);
  });

  it('device-code signs in twice: in two steps, and in one call', async () => {
    expect(await outputOf('device-code.ts')).toEqual([
      DEVICE_MESSAGE,
      'Signed in as ada@contoso.example',
      DEVICE_MESSAGE,
      'Granted: openid profile User.Read',
    ]);
  });

  it('other-provider obtains one token at a plain OAuth server and calls its API twice', async () => {
    expect(await outputOf('other-provider.ts')).toEqual(['GET users: 1', 'token calls: client_credentials']);
  });

  it('graph-sdk makes requests with the real Microsoft Graph client', async () => {
    expect(await outputOf('graph-sdk.ts')).toEqual([
      'Graph SDK, /me: Ada Lovelace',
      'Graph SDK, /me/messages: 2',
      'TokenCredential: good until INSTANT',
      'fetch: 200',
    ]);
  });

  it('open-python-o365-file is signed in at once, and leaves one refresh token', async () => {
    expect(await outputOf('open-python-o365-file.ts')).toEqual([
      'signed in already: true',
      'as: ada@contoso.example',
      'GET /me: Ada Lovelace',
      'refresh tokens in the file: 1',
      'exported sections: AccessToken, Account, AppMetadata, IdToken, RefreshToken',
    ]);
  });
});

/** A browser with a cookie, for one person. */
class Person {
  readonly #origin: string;
  readonly #authority: DevAuthority;
  readonly #username: string;
  #cookie = '';

  constructor(origin: string, authority: DevAuthority, username: string) {
    this.#origin = origin;
    this.#authority = authority;
    this.#username = username;
  }

  /** Somebody who got hold of the cookie. */
  copy(): Person {
    const other = new Person(this.#origin, this.#authority, this.#username);
    other.#cookie = this.#cookie;
    return other;
  }

  async visit(
    path: string,
    method = 'GET',
  ): Promise<{ readonly status: number; readonly location: string; readonly text: string }> {
    const url = new URL(path, this.#origin);
    const answer = await fetch(url, { method, headers: { cookie: this.#cookie }, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) this.#cookie = line.split(';')[0] ?? '';
    return { status: answer.status, location: answer.headers.get('location') ?? '', text: await answer.text() };
  }

  /** Follows the link, signs in at the authority, and stops at the URL that leads back. */
  async signIn(): Promise<string> {
    const { location } = await this.visit('/sign-in');
    return this.#authority.consentAs(this.#username)({ url: location, redirectUri: `${this.#origin}/callback` });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('the web application', () => {
  let authority: DevAuthority;
  let origin: string;

  beforeEach(async () => {
    authority = await startDevAuthority();
    const port = String(await freePort());
    const child = start('web-app.ts', { PORT: port, DEV_AUTHORITY: JSON.stringify(authority.accountOptions) });
    const started = await new Promise<string>((resolve, reject) => {
      child.stdout?.once('data', (data) => resolve(String(data).trim()));
      child.once('exit', (code) => reject(new Error(`web-app.ts ended with code ${code}`)));
    });
    expect(started).toBe(`http://localhost:${port}`);
    origin = started;
  });
  afterEach(() => authority.close());

  const person = (username: string) => new Person(origin, authority, username);

  it('keeps two people apart, and signs one out without the other', async () => {
    const [ada, ben] = [person('ada@contoso.example'), person('ben@contoso.example')];
    expect((await ada.visit('/')).text).toContain('Sign in');
    for (const who of [ada, ben]) expect((await who.visit(await who.signIn())).location).toBe('/');
    expect((await ada.visit('/')).text).toContain('Hello, Ada Lovelace');
    expect((await ben.visit('/')).text).toContain('Hello, Ben Bitdiddle');

    const { location } = await ada.visit('/sign-out', 'POST');
    expect(location).toContain(`${authority.url}/`);
    expect(location).toContain('post_logout_redirect_uri=');
    expect((await ada.visit('/')).text).toContain('Sign in');
    expect((await ben.visit('/')).text).toContain('Hello, Ben Bitdiddle');
  });

  it('forgets a session that ended: what somebody kept of it opens nothing, also after the next sign-in', async () => {
    const ada = person('ada@contoso.example');
    await ada.visit(await ada.signIn());
    const kept = ada.copy();
    expect((await kept.visit('/')).text).toContain('Hello, Ada Lovelace');
    await ada.visit('/sign-out', 'POST');
    await ada.visit(await ada.signIn());
    expect((await ada.visit('/')).text).toContain('Hello, Ada Lovelace');
    expect((await kept.visit('/')).text).toContain('Sign in');
  });

  it('refuses a redirect that another browser started', async () => {
    const [ada, eve] = [person('ada@contoso.example'), person('eve@contoso.example')];
    await ada.signIn();
    const hers = await eve.signIn();
    expect((await ada.visit(hers)).status).toBe(500);
    expect((await ada.visit('/')).text).toContain('Sign in');
  });

  it('sends people whose tokens were withdrawn to the login page', async () => {
    const ada = person('ada@contoso.example');
    authority.setAccessTokenSeconds(1);
    await ada.visit(await ada.signIn());
    authority.revokeSessions('ada@contoso.example');
    authority.advanceClock(60_000);
    expect((await ada.visit('/')).location).toBe('/sign-in');
  });
});
