import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthorizationDeniedError, FlowExpiredError, TimeoutError } from '../../src/errors.js';
import type { DeviceFlow, TokenProvider } from '../../src/provider/token-provider.js';
import { deviceCodeConsent } from '../../src/sign-in/device-code-consent.js';
import { finishDeviceFlow, startDeviceFlow } from '../../src/sign-in/device-flow.js';
import { signInWithConsent } from '../../src/sign-in/interactive-sign-in.js';
import { failure, movableClock, openSignInStage, SCOPES, type SignInStage } from './stage.js';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

let stage: SignInStage;
beforeAll(async () => {
  stage = await openSignInStage({ deviceCodeIntervalSeconds: 1 });
});
afterAll(() => stage[Symbol.asyncDispose]());

const polls = () => stage.authority.calls({ grantType: DEVICE_GRANT }).length;

describe('a device code', () => {
  it('signs in whoever enters it, also from another process', async () => {
    const flow = await startDeviceFlow(stage.deps(), { scopes: SCOPES });
    await stage.authority.approveDevice(flow.userCode, 'ben@contoso.example');
    const travelled = JSON.parse(JSON.stringify(flow)) as DeviceFlow;
    const { account, slice } = await finishDeviceFlow(stage.deps(), travelled, { scopes: SCOPES });
    expect(account.username).toBe('ben@contoso.example');
    expect(slice.getRefreshToken({ homeAccountId: account.homeAccountId })).toBeDefined();
  });

  it('works as a consent handler, which is shown what to say', async () => {
    const handler = deviceCodeConsent({
      show: ({ userCode, message }) => {
        expect(message).toContain(userCode);
        return stage.authority.approveDevice(userCode, 'ada@contoso.example');
      },
    });
    const { account } = await signInWithConsent(stage.deps(), { scopes: SCOPES }, handler);
    expect(account.username).toBe('ada@contoso.example');
  });

  it('is polled at the interval that the server asks for, and 5 s slower after slow_down', async () => {
    const { clock, waits } = movableClock();
    const flow = await startDeviceFlow(stage.deps(), { scopes: SCOPES });
    const slow = stage.authority.faults.add({ endpoint: 'token', grantType: DEVICE_GRANT, times: 1, error: 'slow_down' });
    const pending = stage.authority.faults.add({
      endpoint: 'token',
      grantType: DEVICE_GRANT,
      times: 1,
      error: 'authorization_pending',
    });
    await stage.authority.approveDevice(flow.userCode, 'ada@contoso.example');
    await finishDeviceFlow(stage.deps({ clock }), flow, { scopes: SCOPES });
    slow.remove();
    pending.remove();
    expect(waits).toEqual([1_000, 6_000, 6_000]);
  });

  it('is not polled on once it was redeemed for an answer that names nobody', async () => {
    const { clock, waits } = movableClock();
    const flow = await startDeviceFlow(stage.deps(), { scopes: SCOPES });
    const { provider, ...rest } = stage.deps({ clock });
    const { issuer, clientId, environments } = provider;
    const silent = { issuer, clientId, environments, classify: provider.classify, exchange: async () => {} };
    const error = await failure(finishDeviceFlow({ ...rest, provider: silent }, flow, { scopes: SCOPES }));
    expect(error).toMatchObject({ code: 'TOKENRY_REFRESH_FAILED', message: expect.stringContaining('who signed in') });
    expect(waits).toHaveLength(1);
  });

  it('survives a connection that breaks', async () => {
    const { clock, waits } = movableClock();
    const flow = await startDeviceFlow(stage.deps(), { scopes: SCOPES });
    await stage.authority.approveDevice(flow.userCode, 'ada@contoso.example');
    const fault = stage.authority.faults.add({ endpoint: 'token', grantType: DEVICE_GRANT, times: 1, reset: 'before' });
    const { account } = await finishDeviceFlow(stage.deps({ clock }), flow, { scopes: SCOPES });
    fault.remove();
    expect(account.username).toBe('ada@contoso.example');
    expect(waits).toEqual([1_000, 2_000]);
  });

  it('survives a time-out of ours, as a connection that breaks', async () => {
    const { clock, waits } = movableClock();
    const flow = await startDeviceFlow(stage.deps(), { scopes: SCOPES });
    await stage.authority.approveDevice(flow.userCode, 'ada@contoso.example');
    const { provider, ...rest } = stage.deps({ clock });
    const { issuer, clientId, environments, classify } = provider;
    let timedOut = false;
    const exchange: TokenProvider['exchange'] = (...args) => {
      if (timedOut) return provider.exchange(...args);
      timedOut = true;
      return Promise.reject(new TimeoutError('late', { timeoutMs: 1 }));
    };
    const slow = { issuer, clientId, environments, classify, exchange };
    const { account } = await finishDeviceFlow({ ...rest, provider: slow }, flow, { scopes: SCOPES });
    expect([account.username, waits.length]).toEqual(['ada@contoso.example', 2]);
  });

  it.each(['User.Read', [5], {}, null])('whose scopes were changed to %j is refused before anything is sent', async (scopes) => {
    const { clock, waits } = movableClock();
    const flow = await startDeviceFlow(stage.deps(), { scopes: SCOPES });
    await stage.authority.approveDevice(flow.userCode, 'ada@contoso.example');
    const before = polls();
    const changed = { ...flow, scopes: scopes as never };
    const [ended] = await Promise.allSettled([finishDeviceFlow(stage.deps({ clock }), changed, { scopes: SCOPES })]);
    expect([polls() - before, waits]).toEqual([0, []]);
    expect(ended.status === 'rejected' && FlowExpiredError.is(ended.reason)).toBe(true);
  });

  it('survives a server that is busy, and waits as long as it says', async () => {
    const { clock, waits } = movableClock();
    const flow = await startDeviceFlow(stage.deps(), { scopes: SCOPES });
    await stage.authority.approveDevice(flow.userCode, 'ada@contoso.example');
    const fault = stage.authority.faults.add({
      endpoint: 'token',
      grantType: DEVICE_GRANT,
      times: 1,
      status: 429,
      retryAfterSeconds: 9,
    });
    await finishDeviceFlow(stage.deps({ clock }), flow, { scopes: SCOPES });
    fault.remove();
    expect(waits).toEqual([1_000, 9_000]);
  });

  it('that is declined ends with a typed error', async () => {
    const flow = await startDeviceFlow(stage.deps(), { scopes: SCOPES });
    await stage.authority.declineDevice(flow.userCode);
    const error = await failure(finishDeviceFlow(stage.deps(), flow, { scopes: SCOPES }));
    expect(AuthorizationDeniedError.is(error) && error.hint).toContain('chose not to sign in');
  });

  it('that is not entered in time ends with a typed error, after a bounded number of polls', async () => {
    const { clock, waits } = movableClock();
    const flow = await startDeviceFlow(stage.deps({ clock }), { scopes: SCOPES });
    const before = polls();
    const soon = { ...flow, expiresAt: clock.now() + 2_500 };
    const error = await failure(finishDeviceFlow(stage.deps({ clock }), soon, { scopes: SCOPES }));
    expect(FlowExpiredError.is(error)).toBe(true);
    expect(waits.length).toBeLessThanOrEqual(3);
    expect(polls() - before).toBe(waits.length);
  });

  it('is not waited for any longer once the caller gives up', async () => {
    const flow = await startDeviceFlow(stage.deps(), { scopes: SCOPES });
    const reason = new Error('given up');
    const controller = new AbortController();
    const waiting = failure(finishDeviceFlow(stage.deps(), flow, { scopes: SCOPES, signal: controller.signal }));
    controller.abort(reason);
    expect(await waiting).toBe(reason);
  });

  it.each([null, {}, { deviceCode: '' }, { deviceCode: 'x', expiresAt: Number.NaN }])(
    'of the shape %j is refused',
    async (flow) => {
      const error = await failure(finishDeviceFlow(stage.deps(), flow as unknown as DeviceFlow, { scopes: SCOPES }));
      expect(FlowExpiredError.is(error)).toBe(true);
    },
  );
});
