import { describe, expect, it } from 'vitest';
import { type ApplicationCredentials, normaliseCredentials } from '../../src/application-credentials.js';
import { ClientAuthenticator } from '../../src/entra/client-authentication.js';
import { NotSentError } from '../../src/provider/token-endpoint-error.js';
import { certificate, privateKey } from './certificates.js';

function setUp(credentials: ApplicationCredentials) {
  let elapsed = 0;
  const clock = { now: () => 1_700_000_000_000 + elapsed, monotonic: () => elapsed };
  const authenticator = new ClientAuthenticator(normaliseCredentials(credentials));
  return {
    authenticator,
    clock,
    pass: (ms: number) => {
      elapsed += ms;
    },
    current: () => authenticator.current({ tokenEndpoint: 'https://login.example/token', clock }),
  };
}

function counting(values: readonly string[]) {
  let calls = 0;
  const read = async () => values[calls++] ?? 'secret-TEST-last';
  return { read, calls: () => calls };
}

describe('client authentication', () => {
  it('sends nothing for a public client', async () => {
    expect(await setUp(['id']).current()).toEqual({});
  });

  it('reads a secret source once, and again after five minutes', async () => {
    const source = counting(['secret-TEST-1', 'secret-TEST-2']);
    const { current, pass } = setUp({ clientId: 'id', clientSecret: source.read });
    expect(await Promise.all([current(), current()])).toEqual([
      { clientSecret: 'secret-TEST-1' },
      { clientSecret: 'secret-TEST-1' },
    ]);
    pass(300_000);
    expect(await current()).toEqual({ clientSecret: 'secret-TEST-1' });
    pass(1);
    expect(await current()).toEqual({ clientSecret: 'secret-TEST-2' });
    expect(source.calls()).toBe(2);
  });

  it('reads a source anew once it was told that the value is no good', async () => {
    const source = counting(['secret-TEST-1', 'secret-TEST-2']);
    const { current, authenticator } = setUp({ clientId: 'id', clientSecret: source.read });
    await current();
    expect(authenticator.forget()).toBe(true);
    expect(await current()).toEqual({ clientSecret: 'secret-TEST-2' });
    expect(setUp(['id', 'secret-TEST-1']).authenticator.forget()).toBe(false);
  });

  it('says that nothing was sent when a source fails, and asks it again', async () => {
    let fails = true;
    const { current } = setUp({
      clientId: 'id',
      clientSecret: async () => {
        if (fails) throw new Error('vault is sealed');
        return 'secret-TEST-1';
      },
    });
    const error = await current().catch((thrown: unknown) => thrown);
    expect(NotSentError.is(error)).toBe(true);
    fails = false;
    expect(await current()).toEqual({ clientSecret: 'secret-TEST-1' });
  });

  it('lets nobody who waits for a source suffer from somebody else’s abort', async () => {
    const answer = Promise.withResolvers<string>();
    const heard: (AbortSignal | undefined)[] = [];
    const { authenticator, clock } = setUp({
      clientId: 'id',
      clientSecret: ({ signal }) => {
        heard.push(signal);
        return new Promise((resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
          answer.promise.then(resolve, reject);
        });
      },
    });
    const impatient = new AbortController();
    const request = { tokenEndpoint: 'https://login.example/token', clock };
    const first = authenticator.current({ ...request, signal: impatient.signal });
    const second = authenticator.current(request);
    impatient.abort(new Error('given up'));
    await expect(first).rejects.toThrow('given up');
    answer.resolve('secret-TEST-1');
    expect(await second).toEqual({ clientSecret: 'secret-TEST-1' });
    expect(heard).toHaveLength(1);
  });

  it('tells a source when nobody waits for it any more, and asks it again for the next', async () => {
    const heard: (AbortSignal | undefined)[] = [];
    const { authenticator, clock } = setUp({
      clientId: 'id',
      clientSecret: ({ signal }) => {
        heard.push(signal);
        return heard.length > 1 ? Promise.resolve('secret-TEST-2') : new Promise<string>(() => {});
      },
    });
    const impatient = [new AbortController(), new AbortController()];
    const request = { tokenEndpoint: 'https://login.example/token', clock };
    const waiting = impatient.map(({ signal }) => authenticator.current({ ...request, signal }));
    for (const { abort } of impatient.map((controller) => ({ abort: () => controller.abort(new Error('given up')) }))) abort();
    for (const each of waiting) await expect(each).rejects.toThrow('given up');
    expect(heard.map((signal) => signal?.aborted)).toEqual([true]);
    expect(await authenticator.current(request)).toEqual({ clientSecret: 'secret-TEST-2' });
  });

  it('checks what a source answers', async () => {
    const { current } = setUp({ clientId: 'id', clientSecret: async () => '' });
    await expect(current()).rejects.toThrow('clientSecret is empty');
  });

  it('reuses the assertion of a certificate', async () => {
    const { current } = setUp({ clientId: 'id', clientCertificate: async () => ({ privateKey, certificate }) });
    const first = await current();
    expect(first.clientAssertion).toMatch(/^eyJ/);
    expect(await current()).toEqual(first);
  });

  it('asks an assertion callback each time, naming the endpoint', async () => {
    const asked: string[] = [];
    const { current } = setUp({
      clientId: 'id',
      clientAssertion: async ({ tokenEndpoint }) => `eyJ.TEST.${asked.push(tokenEndpoint)}`,
    });
    expect(await current()).toEqual({ clientAssertion: 'eyJ.TEST.1' });
    expect(await current()).toEqual({ clientAssertion: 'eyJ.TEST.2' });
    expect(asked).toEqual(['https://login.example/token', 'https://login.example/token']);
  });
});
