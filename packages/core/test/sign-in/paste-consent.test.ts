import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthorizationDeniedError } from '../../src/errors.js';
import { signInWithConsent } from '../../src/sign-in/interactive-sign-in.js';
import { pasteConsent } from '../../src/sign-in/paste-consent.js';
import { failure, openSignInStage, REQUEST, type SignInStage } from './stage.js';

let stage: SignInStage;
beforeAll(async () => {
  stage = await openSignInStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

const consent = { url: 'https://login.example/authorize?state=state-1', redirectUri: 'http://localhost' };

/** Types `typed` as soon as the instructions are there. */
async function pasting(typed: string | Buffer[], request = consent) {
  const input = new PassThrough();
  const output = new PassThrough();
  const handler = pasteConsent({ input, output });
  const answer = handler(request);
  for (const chunk of typeof typed === 'string' ? [typed] : typed) input.write(chunk);
  return { answer: await answer, shown: async () => text(output.end()) };
}

describe('paste consent', () => {
  it('signs in with the URL that the login page ended on', async () => {
    const input = new PassThrough();
    const handler = pasteConsent({ input, output: new PassThrough() });
    const { account } = await signInWithConsent(stage.deps(), REQUEST, async (request) => {
      const waiting = handler(request);
      input.write(`${await stage.authority.consentAs('ada@contoso.example')(request)}\r\n`);
      return waiting;
    });
    expect(account.username).toBe('ada@contoso.example');
  });

  it('signs in with the code alone', async () => {
    const input = new PassThrough();
    const handler = pasteConsent({ input, output: new PassThrough() });
    const { account } = await signInWithConsent(stage.deps(), REQUEST, async (request) => {
      const waiting = handler(request);
      const redirected = new URL(await stage.authority.consentAs('ada@contoso.example')(request));
      input.write(`${redirected.searchParams.get('code')}\n`);
      return waiting;
    });
    expect(account.username).toBe('ada@contoso.example');
  });

  it('tells where to go and what to paste, and not what was pasted', async () => {
    const { shown } = await pasting('secret-TEST-code\n');
    const instructions = await shown();
    expect(instructions).toContain(consent.url);
    expect(instructions).not.toContain('secret-TEST');
  });

  it('takes URLs longer than a terminal line, in pieces, with a bracketed paste around', async () => {
    const url = `http://localhost/?code=${'c'.repeat(3_000)}&state=state-1`;
    const bytes = Buffer.from(`\u001b[200~${url}\u001b[201~\r`);
    const { answer } = await pasting([bytes.subarray(0, 1_024), bytes.subarray(1_024, 2_048), bytes.subarray(2_048)]);
    expect(answer).toBe(url);
  });

  it('understands a backspace', async () => {
    expect((await pasting('abx\u007fc\n')).answer).toBe('http://localhost/?code=abc&state=state-1');
  });

  it.each([
    ['nothing', '\n'],
    ['Ctrl+C', 'abc\u0003'],
  ])('is given up by %s', async (_name, typed) => {
    expect(AuthorizationDeniedError.is(await failure(pasting(typed)))).toBe(true);
  });

  it('is given up when the input ends', async () => {
    const input = new PassThrough();
    input.end();
    const error = await failure(pasteConsent({ input, output: new PassThrough() })(consent));
    expect(AuthorizationDeniedError.is(error)).toBe(true);
  });

  it('is given up where the input has ended long ago', async () => {
    const input = new PassThrough();
    const handler = pasteConsent({ input, output: new PassThrough() });
    const first = handler(consent);
    input.end();
    expect(AuthorizationDeniedError.is(await failure(first))).toBe(true);
    expect(AuthorizationDeniedError.is(await failure(handler(consent)))).toBe(true);
  });

  it('ends when the caller gives up', async () => {
    const controller = new AbortController();
    const reason = new Error('given up');
    const handler = pasteConsent({ input: new PassThrough(), output: new PassThrough() });
    const waiting = failure(handler({ ...consent, signal: controller.signal }));
    controller.abort(reason);
    expect(await waiting).toBe(reason);
  });
});
