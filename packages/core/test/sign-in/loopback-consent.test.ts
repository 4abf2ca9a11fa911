import { request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reachableFrom } from '../../../../test-support/reachable-from.ts';
import { AuthorizationDeniedError, CapabilityError, TimeoutError } from '../../src/errors.js';
import { signInWithConsent } from '../../src/sign-in/interactive-sign-in.js';
import { type LoopbackConsentOptions, loopbackConsent } from '../../src/sign-in/loopback-consent.js';
import { escapeHtml } from '../../src/sign-in/pages.js';
import { failure, openSignInStage, SCOPES, type SignInStage } from './stage.js';

let stage: SignInStage;
beforeAll(async () => {
  stage = await openSignInStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

const ADA = 'ada@contoso.example';

interface Shown {
  readonly status: number;
  readonly html: string;
  readonly policy: string | null;
}

/** A browser that signs Ada in, may do something else first, and keeps the page it ends on. */
function browser({ first }: { first?: (redirectUri: string, state: string) => Promise<unknown> } = {}) {
  const pages: Shown[] = [];
  const openBrowser = async (url: string) => {
    const { searchParams } = new URL(url);
    const redirectUri = searchParams.get('redirect_uri') ?? '';
    await first?.(redirectUri, searchParams.get('state') ?? '');
    const redirected = await stage.authority.consentAs(ADA)({ url, redirectUri });
    const page = await fetch(redirected);
    pages.push({ status: page.status, html: await page.text(), policy: page.headers.get('content-security-policy') });
  };
  return { openBrowser, pages };
}

const signIn = (
  options: LoopbackConsentOptions,
  request: { redirectUri?: string; signal?: AbortSignal; extraParameters?: Record<string, string> } = {},
) => signInWithConsent(stage.deps(), { scopes: SCOPES, ...request }, loopbackConsent(options));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

const until = async (condition: () => boolean) => {
  for (const end = Date.now() + 10_000; !condition() && Date.now() < end; )
    await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('loopback consent', () => {
  it('signs in through the browser, which ends on our page', async () => {
    const { openBrowser, pages } = browser();
    const { account } = await signIn({ openBrowser });
    expect(account.username).toBe(ADA);
    await until(() => pages.length > 0);
    expect(pages[0]).toMatchObject({ status: 200, html: expect.stringContaining('You are signed in') });
    expect(pages[0]?.policy).toContain("default-src 'none'");
    expect(pages[0]?.html).not.toMatch(/code=|state=|https?:/);
  });

  it('listens on the registered port and path', async () => {
    const port = await freePort();
    const seen: string[] = [];
    const { openBrowser } = browser({ first: async (redirectUri) => seen.push(redirectUri) });
    await signIn({ openBrowser, port, path: '/auth/back' });
    await signIn({ openBrowser }, { redirectUri: `http://127.0.0.1:${port}/other` });
    expect(seen).toEqual([`http://localhost:${port}/auth/back`, `http://127.0.0.1:${port}/other`]);
  });

  it('takes a form post', async () => {
    const { account } = await signIn(
      { openBrowser: stage.authority.openBrowserAs(ADA) },
      { extraParameters: { response_mode: 'form_post' } },
    );
    expect(account.username).toBe(ADA);
  });

  it('is not disturbed by stray requests', async () => {
    const statuses: number[] = [];
    const visit = async (url: string, init?: RequestInit) => statuses.push((await fetch(url, init)).status);
    const { openBrowser } = browser({
      first: async (redirectUri, state) => {
        await visit(`${redirectUri}/favicon.ico`);
        await visit(`${redirectUri}/?code=x&state=another`);
        await visit(`${redirectUri}/?code=x`);
        await visit(redirectUri, { method: 'PUT' });
        await visit(redirectUri, { method: 'POST', body: new URLSearchParams({ state, code: 'x'.repeat(70_000) }) });
        statuses.push(await visitAs('evil.example', redirectUri, state));
      },
    });
    expect((await signIn({ openBrowser })).account.username).toBe(ADA);
    expect(statuses).toEqual([404, 400, 400, 405, 405, 421]);
  });

  it('listens on 127.0.0.1 only, and takes one redirect', async () => {
    const redirectUri = `http://localhost:${await freePort()}`;
    const elsewhere: string[] = [];
    const statuses: number[] = [];
    const visit = async (code: string) => {
      const { status } = await fetch(`${redirectUri}/?state=s&code=${code}`).catch(() => ({ status: 0 })); // 0: it is closed
      statuses.push(status);
    };
    const openBrowser = async () => {
      elsewhere.push(...(await reachableFrom(Number(new URL(redirectUri).port))));
      await Promise.all([visit('first'), visit('second')]);
    };
    const answer = await loopbackConsent({ openBrowser })({ url: 'https://login.example/?state=s', redirectUri });
    expect(new URL(answer).searchParams.get('code')).toMatch(/^(?:first|second)$/);
    await until(() => statuses.length === 2);
    expect(elsewhere).toEqual([]);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  });

  it('shows why it failed, escaped, and throws the same', async () => {
    const shown: string[] = [];
    const openBrowser = async (url: string) => {
      const { searchParams } = new URL(url);
      const answer = new URLSearchParams({
        error: 'access_denied',
        error_description: 'AADSTS65004: <script>alert(1)</script>',
        state: searchParams.get('state') ?? '',
      });
      shown.push(await (await fetch(`${searchParams.get('redirect_uri')}/?${answer}`)).text());
    };
    const error = await failure(signIn({ openBrowser }));
    expect(AuthorizationDeniedError.is(error) && error.errorCode).toBe('65004');
    await until(() => shown.length > 0);
    expect(shown[0]).toContain('Not signed in');
    expect(shown[0]).toContain('declined the consent');
    expect(shown[0]).not.toContain('alert(1)');
  });

  it('does not say "signed in" before the code was exchanged', async () => {
    const { openBrowser, pages } = browser();
    const fault = stage.authority.faults.add({ endpoint: 'token', times: 1, error: 'invalid_client', errorCodes: [7000215] });
    const error = await failure(signIn({ openBrowser }));
    fault.remove();
    expect(AuthorizationDeniedError.is(error)).toBe(true);
    await until(() => pages.length > 0);
    expect(pages[0]?.html).toContain('Not signed in');
    expect(pages[0]?.html).toContain(escapeHtml("secret's id was copied"));
  });

  it('shows the program’s own pages', async () => {
    const { openBrowser, pages } = browser();
    await signIn({ openBrowser, successPage: '<h1>Willkommen</h1>' });
    await until(() => pages.length > 0);
    expect(pages[0]).toEqual({ status: 200, html: '<h1>Willkommen</h1>', policy: null });
  });

  it.each([
    ['nobody comes back in time', { timeoutMs: 50 }],
    ['the browser cannot be opened', { openBrowser: () => Promise.reject(new Error('no browser')) }],
  ])('frees the port when %s', async (_name, options) => {
    const port = await freePort();
    const error = await failure(signIn({ openBrowser: async () => {}, port, ...options }));
    expect(TimeoutError.is(error) || (error as Error).message === 'no browser').toBe(true);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });

  it('ends at once when the caller gives up, and frees the port', async () => {
    const port = await freePort();
    const controller = new AbortController();
    const reason = new Error('given up');
    const openBrowser = async () => controller.abort(reason);
    expect(await failure(signIn({ openBrowser, port }, { signal: controller.signal }))).toBe(reason);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });

  it('says so when the port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = (server.address() as { port: number }).port;
    const error = await failure(signIn({ openBrowser: async () => {}, port }));
    expect(CapabilityError.is(error) && error).toMatchObject({ cause: { code: 'EADDRINUSE' } });
    expect(String(error)).toContain(`cannot listen on port ${port} of this machine`);
    await new Promise((resolve) => server.close(resolve));
  });

  it('works as a plain function too', async () => {
    const port = await freePort();
    const redirectUri = `http://localhost:${port}`;
    const openBrowser = async () => void (await fetch(`${redirectUri}/?code=c&state=s`));
    const answer = await loopbackConsent({ openBrowser })({ url: 'https://login.example/?state=s', redirectUri });
    expect(new URL(answer).searchParams.get('code')).toBe('c');
  });

  it('refuses what cannot work', async () => {
    expect(() => loopbackConsent({ port: 70_000 })).toThrow(RangeError);
    expect(() => loopbackConsent({ path: 'x' })).toThrow('must start with "/"');
    expect(() => loopbackConsent({ timeoutMS: 5 } as LoopbackConsentOptions)).toThrow('did you mean "timeoutMs"');
    const error = await failure(signIn({ openBrowser: async () => {} }, { redirectUri: 'https://app.example/back' }));
    expect(String(error)).toContain('must be on this machine');
  });
});

/** A request under a foreign host name, as DNS rebinding makes browsers send it. */
function visitAs(host: string, redirectUri: string, state: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(redirectUri);
    const request = httpRequest({ host: '127.0.0.1', port, path: `/?code=x&state=${state}`, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.once('error', reject).end();
  });
}
