import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthorizationDeniedError, FlowExpiredError, RefreshFailedError, StateMismatchError } from '../../src/errors.js';
import type { SignInDependencies } from '../../src/sign-in/sign-in-dependencies.js';
import { finishSignIn, type SignInFlow, startSignIn } from '../../src/sign-in/sign-in-flow.js';
import { failure, movableClock, openSignInStage, REQUEST, SCOPES, type SignInStage } from './stage.js';

let stage: SignInStage;
beforeAll(async () => {
  stage = await openSignInStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

/** Starts a sign-in and lets the user go through it. */
async function redirected(deps: SignInDependencies, username = 'ada@contoso.example') {
  const { url, flow } = await startSignIn(deps, REQUEST);
  const answer = await stage.authority.consentAs(username)({ url, redirectUri: REQUEST.redirectUri });
  return { url, flow, answer };
}

describe('a sign-in in two steps', () => {
  it('ends with who signed in, what was granted, and tokens to store', async () => {
    const deps = stage.deps();
    const { flow, answer } = await redirected(deps);
    const { account, scopes, slice } = await finishSignIn(deps, answer, flow);
    expect(account).toMatchObject({ username: 'ada@contoso.example', tenantId: stage.authority.accountOptions.tenantId });
    expect(scopes).toEqual(expect.arrayContaining(SCOPES));
    expect(slice.getRefreshToken({ homeAccountId: account.homeAccountId })?.secret).toEqual(expect.any(String));
    expect(slice.getAccessToken({ homeAccountId: account.homeAccountId, scopes: SCOPES })?.secret).toEqual(expect.any(String));
  });

  it.each([
    ['without keys', undefined],
    ['with keys', [new Uint8Array(32).fill(7)]],
  ])('is finished by another process, %s', async (_name, flowKeys) => {
    const keys = flowKeys === undefined ? {} : { flowKeys };
    const { flow, answer } = await redirected(stage.deps(keys));
    const travelled = JSON.parse(JSON.stringify(flow)) as SignInFlow;
    const { account } = await finishSignIn(stage.deps(keys), answer, travelled);
    expect(account.username).toBe('ada@contoso.example');
  });

  it.each([
    ['a URL object', (answer: string) => new URL(answer)],
    ['a form post body', (answer: string) => new URL(answer).search.slice(1)],
    ['a query with its question mark', (answer: string) => new URL(answer).search],
    ['a fragment', (answer: string) => answer.replace('?', '#')],
    ['blanks around it', (answer: string) => `  ${answer}\n`],
  ])('takes the redirect as %s', async (_name, form) => {
    const deps = stage.deps();
    const { flow, answer } = await redirected(deps);
    expect((await finishSignIn(deps, form(answer), flow)).account.username).toBe('ada@contoso.example');
  });

  it('B08: selects the guest who signed in, by the home account', async () => {
    const deps = stage.deps();
    const { flow, answer } = await redirected(deps, 'gwen@fabrikam.example');
    const { account } = await finishSignIn(deps, answer, flow);
    expect(account.username).toBe('gwen@fabrikam.example');
    expect(account.homeAccountId).toMatch(/\.99999999-8888-7777-6666-555555555555$/);
  });

  it('B22: a declined consent is an error with number and hint', async () => {
    const deps = stage.deps();
    const { flow } = await startSignIn(deps, REQUEST);
    const description = 'AADSTS65004: User declined to consent to access the app.';
    const query = new URLSearchParams({
      error: 'access_denied',
      error_subcode: 'cancel',
      error_description: description,
      state: flow.id,
    });
    const error = await failure(finishSignIn(deps, `${REQUEST.redirectUri}?${query}`, flow));
    expect(AuthorizationDeniedError.is(error) && error).toMatchObject({
      code: 'TOKENRY_AUTHORIZATION_DENIED',
      error: 'access_denied',
      suberror: 'cancel',
      errorCode: '65004',
      hint: expect.stringContaining('declined the consent'),
    });
  });

  it.each([
    ['{"id_token":{}}', '{"id_token":{}}'],
    ['null', undefined],
    ['[1]', undefined],
    ['{', undefined],
  ])('hands on only claims that a sign-in can ask for: %s', async (claims, kept) => {
    const deps = stage.deps();
    const { flow } = await startSignIn(deps, REQUEST);
    const query = new URLSearchParams({ error: 'interaction_required', claims, state: flow.id });
    const error = await failure(finishSignIn(deps, `${REQUEST.redirectUri}?${query}`, flow));
    expect(AuthorizationDeniedError.is(error) && error.claims).toBe(kept);
  });

  it('B23: a redirect of another sign-in is a state mismatch', async () => {
    const deps = stage.deps();
    const [mine, other] = [await redirected(deps), await redirected(deps)];
    expect(StateMismatchError.is(await failure(finishSignIn(deps, other.answer, mine.flow)))).toBe(true);
  });

  it.each([
    ['no state', (answer: URL) => answer.searchParams.delete('state')],
    ['two states', (answer: URL) => answer.searchParams.append('state', 'x')],
    ['two codes', (answer: URL) => answer.searchParams.append('code', 'x')],
    ['no code', (answer: URL) => answer.searchParams.delete('code')],
    ['an empty code', (answer: URL) => answer.searchParams.set('code', '')],
  ])('does not take a redirect with %s', async (_name, change) => {
    const deps = stage.deps();
    const { flow, answer } = await redirected(deps);
    const url = new URL(answer);
    change(url);
    const error = await failure(finishSignIn(deps, url, flow));
    expect(StateMismatchError.is(error)).toBe(true);
    expect(String(error)).not.toContain(new URL(answer).searchParams.get('code'));
  });

  it('is over after ten minutes', async () => {
    const { clock, advance } = movableClock();
    const deps = stage.deps({ clock });
    const { flow, answer } = await redirected(deps);
    expect(flow.expiresAt - clock.now()).toBeLessThanOrEqual(600_000);
    advance(600_001);
    const prolonged = { ...flow, expiresAt: flow.expiresAt + 3_600_000 };
    for (const each of [flow, prolonged]) expect(FlowExpiredError.is(await failure(finishSignIn(deps, answer, each)))).toBe(true);
  });

  it('redeems its code once; the second time says what happened', async () => {
    const deps = stage.deps();
    const { flow, answer } = await redirected(deps);
    await finishSignIn(deps, answer, flow);
    const error = await failure(finishSignIn(deps, answer, flow));
    expect(AuthorizationDeniedError.is(error) && error.error).toBe('invalid_grant');
    expect(JSON.stringify(error) + String(error)).not.toContain(new URL(answer).searchParams.get('code'));
  });

  it('tells an unreachable server from a refusal', async () => {
    const deps = stage.deps();
    const { flow, answer } = await redirected(deps);
    const fault = stage.authority.faults.add({ endpoint: 'token', times: 1, reset: 'before' });
    const error = await failure(finishSignIn(deps, answer, flow));
    fault.remove();
    expect(RefreshFailedError.is(error) && error.retryable).toBe(true);
  });

  it('shows neither verifier nor nonce in the URL', async () => {
    const { url, flow } = await startSignIn(stage.deps(), REQUEST);
    const { codeVerifier } = JSON.parse(Buffer.from(flow.sealed.split('.')[0] ?? '', 'base64url').toString()) as {
      codeVerifier: string;
    };
    expect(codeVerifier).toHaveLength(43);
    expect(url).not.toContain(codeVerifier);
  });
});

describe('starting a sign-in', () => {
  it.each([
    ['no scopes', { ...REQUEST, scopes: [] }, 'say what to ask for'],
    ['a redirect URI that is none', { ...REQUEST, redirectUri: '/callback' }, 'absolute URL'],
    ['a state of its own', { ...REQUEST, extraParameters: { state: 'mine' } }, '"state" is set by the sign-in itself'],
    ['a challenge of its own', { ...REQUEST, extraParameters: { CODE_CHALLENGE: 'mine' } }, 'is set by the sign-in itself'],
  ])('is refused with %s', async (_name, request, message) => {
    const error = await failure(startSignIn(stage.deps(), request));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(message);
  });

  it('needs a provider with a login page', async () => {
    const { provider, ...deps } = stage.deps();
    const bare = {
      issuer: provider.issuer,
      clientId: 'x',
      environments: [],
      exchange: provider.exchange,
      classify: provider.classify,
    };
    await expect(startSignIn({ ...deps, provider: bare }, REQUEST)).rejects.toMatchObject({ code: 'TOKENRY_CAPABILITY' });
  });
});
