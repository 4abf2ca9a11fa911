import { execFile } from 'node:child_process';
import { channel } from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SpanStatusCode } from '@opentelemetry/api';
import { Account, type RefreshEvent } from '@tokenry/core';
import { acquireLease, BackendUnavailableError, defaultLeaseTiming, systemClock } from '@tokenry/core/backend';
import { startDevAuthority } from '@tokenry/dev-authority';
import { MemoryTokenBackend } from '@tokenry/memory';
import { type Instrumentation, instrument, METRICS, SPANS } from '@tokenry/opentelemetry';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { telemetry } from './telemetry.js';

let seen: ReturnType<typeof telemetry>;
let instrumentation: Instrumentation;
beforeEach(() => {
  seen = telemetry();
  instrumentation = instrument({ meterProvider: seen.meterProvider, tracerProvider: seen.tracerProvider });
});
afterEach(async () => {
  instrumentation.disable();
  await seen.close();
});

const answer = {
  token_type: 'Bearer',
  access_token: 'at-TEST-1',
  refresh_token: 'rt-TEST-1',
  expires_in: 3_600,
  client_info: Buffer.from('{"uid":"u","utid":"t"}').toString('base64url'),
};
const signIn = (backend: MemoryTokenBackend, tokenKey: string) =>
  backend.updateToken(
    (cache) => cache.add({ response: answer, environment: 'login.example', clientId: 'client-id', scopes: ['User.Read'] }),
    { tokenKey },
  );

it('a save is a span and a duration in seconds', async () => {
  const backend = new MemoryTokenBackend();
  await signIn(backend, 'user-1');
  await backend.updateToken(() => {}, { tokenKey: 'user-1' });
  expect(await seen.points(METRICS.saveDuration.name)).toMatchObject([
    { unit: 's', attributes: { 'tokenry.outcome': 'saved' }, value: { count: 1 } },
    { unit: 's', attributes: { 'tokenry.outcome': 'unchanged' }, value: { count: 1 } },
  ]);
  const [span, ...more] = seen.spans();
  expect(more).toEqual([]);
  expect([span?.name, span?.attributes, span?.status.code]).toEqual([
    SPANS.save,
    { 'tokenry.token_key': 'user-1', 'tokenry.outcome': 'saved', 'tokenry.save.attempts': 1 },
    SpanStatusCode.UNSET,
  ]);
});

/** Somebody else writes just before our first two writes. */
class BusyBackend extends MemoryTokenBackend {
  interferences = 0;
  protected override async writeRecord(...args: Parameters<MemoryTokenBackend['writeRecord']>): Promise<string> {
    const [name, data] = args;
    if (this.interferences-- > 0) await super.writeRecord(name, Buffer.concat([data, Buffer.from(' ')]), { expect: 'anything' });
    return super.writeRecord(...args);
  }
}

it('conflicts are counted, and the save says how often it was tried', async () => {
  const backend = new BusyBackend();
  await signIn(backend, 'user-1');
  backend.interferences = 2;
  let round = 0;
  const change = { response: answer, environment: 'login.example', clientId: 'client-id' };
  await backend.updateToken((cache) => cache.add({ ...change, scopes: [`Scope.${++round}`] }), { tokenKey: 'user-1' });
  expect(await seen.points(METRICS.saveConflicts.name)).toMatchObject([{ unit: '{conflict}', value: 2 }]);
  expect(seen.spans().at(-1)?.attributes['tokenry.save.attempts']).toBe(3);
});

it('leases are spans until they are held, and everything about them is counted', async () => {
  const backend = new MemoryTokenBackend();
  const options = { timing: defaultLeaseTiming, clock: systemClock };
  const first = await acquireLease(backend.leases, 'lease-1', options);
  const second = acquireLease(backend.leases, 'lease-1', options);
  await vi.waitFor(async () => expect((await seen.points(METRICS.leaseEvents.name)).length).toBe(2));
  if ('lease' in first) await first.lease.release();
  const held = await second;
  if ('lease' in held) await held.lease.release();
  const actions = (await seen.points(METRICS.leaseEvents.name)).map(({ attributes, value }) => [
    attributes['tokenry.lease.action'],
    value,
  ]);
  expect(Object.fromEntries(actions)).toEqual({ acquired: 2, contended: 1, released: 2 });
  const spans = seen.spans().map(({ name, attributes }) => [name, attributes['tokenry.lease.name']]);
  expect(spans).toEqual([
    [SPANS.lease, 'lease-1'],
    [SPANS.lease, 'lease-1'],
  ]);
});

it('a store that is down is a fault, with the code of the error', async () => {
  const clock = { now: () => 0, monotonic: () => at };
  let at = 0;
  const backend = new MemoryTokenBackend({ clock, recordCache: { revalidateAfterMs: 1_000, maxStalenessMs: 2_000 } });
  await signIn(backend, 'user-1');
  Reflect.set(backend, 'readRecord', async () => {
    throw new BackendUnavailableError('switched off');
  });
  at = 5_000;
  await backend.loadToken({ tokenKey: 'user-1' });
  expect(await seen.points(METRICS.faults.name)).toMatchObject([
    {
      unit: '{fault}',
      attributes: { 'tokenry.operation': 'read', 'tokenry.served_stale': true, 'error.type': 'TOKENRY_BACKEND_UNAVAILABLE' },
      value: 1,
    },
  ]);
});

it('a refused refresh is a span with an error; a metric names neither user nor record', async () => {
  const event: RefreshEvent = {
    tokenKey: 'user-1',
    homeAccountId: 'uid.utid',
    grantType: 'refresh_token',
    scopes: ['User.Read'],
    outcome: 'terminal',
    durationMs: 250,
    code: 'TOKENRY_INTERACTION_REQUIRED',
  };
  channel('tokenry:refresh').publish(event);
  expect(await seen.points(METRICS.refreshDuration.name)).toEqual([
    {
      name: 'tokenry.refresh.duration',
      unit: 's',
      attributes: {
        'tokenry.outcome': 'terminal',
        'tokenry.grant_type': 'refresh_token',
        'error.type': 'TOKENRY_INTERACTION_REQUIRED',
      },
      value: { count: 1, sum: 0.25 },
    },
  ]);
  const [span] = seen.spans();
  expect([span?.name, span?.status.code, span?.attributes['error.type'], span?.attributes['tokenry.scopes']]).toEqual([
    SPANS.refresh,
    SpanStatusCode.ERROR,
    'TOKENRY_INTERACTION_REQUIRED',
    ['User.Read'],
  ]);
  expect(Math.round((span?.duration[0] ?? 0) * 1_000 + (span?.duration[1] ?? 0) / 1e6)).toBe(250);
});

it('an account that signs in, refreshes and is refused shows as it happened', async () => {
  const authority = await startDevAuthority();
  await using account = new Account(['client-id', 'secret-TEST-1'], {
    ...authority.accountOptions,
    tokenBackend: new MemoryTokenBackend(),
    scopes: 'basic',
    proxy: false,
  });
  await account.authenticate({ handleConsent: authority.consentAs('ada@contoso.example') });
  await account.getAccessToken({ forceRefresh: true });
  authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', error: 'invalid_grant', suberror: 'bad_token' });
  await expect(account.getAccessToken({ forceRefresh: true })).rejects.toMatchObject({ code: 'TOKENRY_INTERACTION_REQUIRED' });
  await authority.close();
  const refreshes = await seen.points(METRICS.refreshDuration.name);
  expect(refreshes.map(({ attributes, value }) => [attributes, (value as { count: number }).count])).toEqual([
    [{ 'tokenry.outcome': 'refreshed', 'tokenry.grant_type': 'refresh_token' }, 1],
    [{ 'tokenry.outcome': 'terminal', 'tokenry.grant_type': 'refresh_token', 'error.type': 'TOKENRY_INTERACTION_REQUIRED' }, 1],
  ]);
  const acquires = seen.spans().filter(({ name }) => name === SPANS.acquire);
  expect(acquires.map(({ attributes, status }) => [attributes['tokenry.outcome'], status.code])).toEqual([
    ['refreshed', SpanStatusCode.UNSET],
    ['failed', SpanStatusCode.ERROR],
  ]);
  const everything = JSON.stringify([seen.spans().map(({ attributes, status }) => [attributes, status]), refreshes]);
  expect(everything).not.toMatch(/[ar]t-TEST|secret-TEST|eyJ/);
});

it('all six channels are listened to, and none before and after', async () => {
  const program = fileURLToPath(new URL('listen-and-stop.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  expect(JSON.parse(stdout)).toEqual([0, 6, 0]);
});

it('after disable() nothing more is recorded', async () => {
  instrumentation.disable();
  await signIn(new MemoryTokenBackend(), 'user-1');
  expect([seen.spans(), await seen.points(METRICS.saveDuration.name)]).toEqual([[], []]);
});

it('without providers the global ones are used: none registered, nothing happens', async () => {
  const other = instrument();
  await signIn(new MemoryTokenBackend(), 'user-1');
  other.disable();
  expect(seen.spans()).toHaveLength(1);
});

it('an option that it does not know is refused by name', () => {
  expect(() => instrument({ meterprovider: seen.meterProvider } as object)).toThrow(
    expect.objectContaining({ code: 'TOKENRY_UNKNOWN_OPTION', message: expect.stringContaining('did you mean "meterProvider"') }),
  );
});
