import type { Fault } from '@tokenry/dev-authority';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { Transport } from '../../src/http/transport.js';
import { NotSentError, TokenEndpointError } from '../../src/provider/token-endpoint-error.js';
import { GRAPH, openStage, recordingSlice, type Stage } from './authority.js';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

const SCOPES = [`${GRAPH}.default`];

/** What comes out of one app-only call under a fault. */
async function under(fault: Omit<Fault, 'endpoint' | 'times'>): Promise<unknown> {
  const handle = stage.authority.faults.add({ endpoint: 'token', times: 1, ...fault });
  const provider = stage.provider(['app-1', 'secret-TEST-1'], { flow: 'credentials' });
  const { slice } = recordingSlice();
  const outcome = await provider.exchange({ grantType: 'client_credentials' }, slice, stage.context(SCOPES)).then(
    () => 'answered',
    (error: unknown) => error,
  );
  handle.remove();
  return outcome;
}

describe('a refusal of the token endpoint', () => {
  it('keeps error, suberror, number and status', async () => {
    const error = await under({ error: 'invalid_grant', suberror: 'basic_action', errorCodes: [50076] });
    expect(error).toMatchObject({
      name: 'TokenEndpointError',
      error: 'invalid_grant',
      suberror: 'basic_action',
      errorCode: '50076',
      status: 400,
    });
  });

  it.each([
    ['{"access_token":{}}', '{"access_token":{}}'],
    ['no JSON', undefined],
    ['[1]', undefined],
  ])('keeps claims that can be passed on: %s', async (claims, kept) => {
    const error = await under({ error: 'interaction_required', claims });
    expect((error as { claims?: string }).claims).toBe(kept);
  });

  it('keeps how long the server asks to wait', async () => {
    const error = await under({ status: 429, retryAfterSeconds: 7 });
    expect(error).toMatchObject({ name: 'TokenEndpointError', status: 429, retryAfterMs: 7_000 });
  });

  it.each([500, 502, 503])('of status %d is a refusal with that status', async (status) => {
    const error = await under({ status });
    expect(TokenEndpointError.is(error) && stage.provider(['id']).classify(error).kind).toBe('transient');
    expect(error).toMatchObject({ status });
  });
});

describe('an answer that no OAuth server gives', () => {
  it.each([
    [403, '<h1>Blocked by the proxy</h1>'],
    [404, ''],
    [302, 'Moved'],
    [400, '{"message":"no"}'],
  ])('%d %s is no refusal of the person: nothing is known', async (status, body) => {
    const provider = stage.provider(['app-1', 'secret-TEST-1'], { flow: 'credentials' });
    const context = { ...stage.context(SCOPES), fetch: async () => new Response(body, { status }) };
    const error = await provider
      .exchange({ grantType: 'client_credentials' }, recordingSlice().slice, context)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect([NotSentError.is(error), TokenEndpointError.is(error)]).toEqual([false, false]);
    expect((error as Error).message).toContain(String(status));
  });
});

describe('the network', () => {
  it('that ends after the server acted is neither a refusal nor "not sent"', async () => {
    const error = await under({ reset: 'after-commit' });
    expect(error).toBeInstanceOf(Error);
    expect([NotSentError.is(error), TokenEndpointError.is(error)]).toEqual([false, false]);
  });

  it('that has no way to the server is "not sent", also through msal-node', async () => {
    const transport = new Transport({ proxy: false });
    const provider = stage.provider(['app-1', 'secret-TEST-1'], { flow: 'credentials' });
    const context = { scopes: SCOPES, fetch: transport.tokenFetch, clock: systemClock };
    const error = await provider
      .exchange({ grantType: 'client_credentials' }, recordingSlice().slice, context)
      .catch((thrown: unknown) => thrown);
    expect(NotSentError.is(error)).toBe(true);
    await transport.close();
  });

  it('is not asked once the caller has given up', async () => {
    const before = stage.authority.calls().length;
    const provider = stage.provider(['app-1', 'secret-TEST-1'], { flow: 'credentials' });
    const reason = new Error('given up');
    const context = stage.context(SCOPES, { signal: AbortSignal.abort(reason) });
    await expect(provider.exchange({ grantType: 'client_credentials' }, recordingSlice().slice, context)).rejects.toBe(reason);
    expect(stage.authority.calls()).toHaveLength(before);
  });

  it('is used once per call, whatever happens', async () => {
    const before = stage.authority.calls().length;
    await under({ status: 503 });
    expect(stage.authority.calls()).toHaveLength(before + 1);
  });
});
