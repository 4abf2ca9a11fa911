import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import { InProcessLeases } from '../../src/backend/in-process-leases.js';
import { acquireLease, type LeaseTiming } from '../../src/backend/lease.js';
import { leaseName } from '../../src/backend/lease-name.js';
import type { LeaseProvider } from '../../src/backend/token-backend.js';
import { BackendUnavailableError, LeaseTimeoutError } from '../../src/errors.js';
import type { LeaseEvent } from '../../src/observability/events.js';
import { settle, TestClock } from './support/test-clock.js';

const timing: LeaseTiming = { ttlMs: 60_000, renewEveryMs: 20_000, waitMs: 90_000 };

function setUp() {
  const clock = new TestClock();
  const provider = new InProcessLeases({ clock });
  const acquire = (options: Partial<Parameters<typeof acquireLease<string>>[2]> = {}) =>
    acquireLease<string>(provider, 'l', { timing, clock, ...options });
  const hold = async () => {
    const got = await acquire();
    if (!('lease' in got)) throw new Error('not acquired');
    return got.lease;
  };
  return { clock, provider, acquire, hold };
}

describe('acquireLease', () => {
  it('grants a free lease that counts from before the request', async () => {
    const { clock, hold } = setUp();
    const lease = await hold();
    expect(lease.owner).toMatch(/^.+:\d+:[0-9a-f-]{36}$/);
    await clock.advance(1_000);
    expect(lease.remainingMs()).toBe(59_000);
    expect(lease.lost).toBe(false);
  });

  it('renews every 20 s for as long as it is held', async () => {
    const { clock, hold, acquire } = setUp();
    const lease = await hold();
    await clock.advance(50_000);
    expect(lease.remainingMs()).toBe(50_000);
    const waiting = acquire();
    await clock.advance(30_000);
    expect(lease.lost).toBe(false);
    await lease.release();
    await clock.advance(1_000);
    const next = await waiting;
    expect('lease' in next && next.lease.owner).not.toBe(lease.owner);
  });

  it('gives up after waitMs, naming the holder', async () => {
    const { clock, hold, acquire } = setUp();
    const lease = await hold();
    const waiting = acquire().catch((error: unknown) => error);
    await clock.advance(90_001);
    const error = await waiting;
    expect(LeaseTimeoutError.is(error) && error.holder).toBe(lease.owner);
    await lease.release();
  });

  it('ends the wait with what was found while waiting', async () => {
    const { clock, hold, acquire } = setUp();
    const lease = await hold();
    let asked = 0;
    const waiting = acquire({ whileWaiting: async () => (++asked === 3 ? 'token' : undefined) });
    await clock.advance(2_000);
    expect(await waiting).toEqual({ adopted: 'token' });
    await lease.release();
  });

  it('ends the wait of an aborted caller with the reason of its signal', async () => {
    const { clock, hold, acquire } = setUp();
    const lease = await hold();
    const controller = new AbortController();
    const waiting = acquire({ signal: controller.signal }).catch((error: unknown) => error);
    await clock.advance(100);
    controller.abort(new Error('enough'));
    expect(await waiting).toEqual(new Error('enough'));
    await lease.release();
  });

  it('is lost when a renewal is refused, and never comes back', async () => {
    const { clock, provider, hold } = setUp();
    const lease = await hold();
    await provider.release('l', { owner: lease.owner, ttlMs: 1 });
    await clock.advance(20_000);
    expect([lease.lost, lease.remainingMs()]).toEqual([true, 0]);
    await clock.advance(60_000);
    expect(lease.lost).toBe(true);
  });

  it('survives a lease store that is away for less than the TTL, and is lost when it is away for longer', async () => {
    const { clock, provider } = setUp();
    let down = true;
    const flaky: LeaseProvider = {
      tryAcquire: (name, request) => provider.tryAcquire(name, request),
      renew: (name, request) => (down ? Promise.reject(new BackendUnavailableError('away')) : provider.renew(name, request)),
      release: (name, request) => provider.release(name, request),
    };
    const got = await acquireLease(flaky, 'l', { timing, clock });
    if (!('lease' in got)) throw new Error('not acquired');
    await clock.advance(44_000);
    expect(got.lease.lost).toBe(false);
    down = false;
    await clock.advance(5_000);
    expect(got.lease.remainingMs()).toBeGreaterThan(50_000);
    down = true;
    await clock.advance(70_000);
    expect(got.lease.lost).toBe(true);
    await got.lease.release();
  });

  it('gives back a lease whose grant was never heard of', async () => {
    const { clock, provider } = setUp();
    const deaf: LeaseProvider = {
      tryAcquire: async (name, request) => {
        await provider.tryAcquire(name, request);
        throw new BackendUnavailableError('answer lost');
      },
      renew: (name, request) => provider.renew(name, request),
      release: (name, request) => provider.release(name, request),
    };
    await expect(acquireLease(deaf, 'l', { timing, clock })).rejects.toThrow('answer lost');
    await settle();
    expect(await provider.tryAcquire('l', { owner: 'next', ttlMs: 1_000 })).toEqual({ acquired: true });
  });

  it('tells what happens as events', async () => {
    const { clock, hold, acquire } = setUp();
    const actions: string[] = [];
    const listen = (event: unknown) => actions.push((event as LeaseEvent).action);
    channel('tokenry:lease').subscribe(listen);
    const lease = await hold();
    const waiting = acquire();
    await clock.advance(21_000);
    await lease.release();
    await clock.advance(1_000);
    const second = await waiting;
    if ('lease' in second) await second.lease.release();
    channel('tokenry:lease').unsubscribe(listen);
    expect(actions).toEqual(['acquired', 'contended', 'renewed', 'released', 'acquired', 'released']);
  });
});

describe('leases in one process', () => {
  it('never release or renew a stranger’s', async () => {
    const provider = new InProcessLeases();
    await provider.tryAcquire('l', { owner: 'a', ttlMs: 1_000 });
    await provider.release('l', { owner: 'b', ttlMs: 1_000 });
    expect(await provider.renew('l', { owner: 'b', ttlMs: 1_000 })).toBe(false);
    expect(await provider.tryAcquire('l', { owner: 'a', ttlMs: 1_000 })).toMatchObject({ acquired: false, holder: 'a' });
  });

  it('end with their TTL', async () => {
    const clock = new TestClock();
    const provider = new InProcessLeases({ clock });
    await provider.tryAcquire('l', { owner: 'a', ttlMs: 1_000 });
    await clock.advance(999);
    expect(await provider.tryAcquire('l', { owner: 'b', ttlMs: 1_000 })).toMatchObject({ acquired: false });
    await clock.advance(1);
    expect(await provider.tryAcquire('l', { owner: 'b', ttlMs: 1_000 })).toEqual({ acquired: true });
  });
});

describe('lease names', () => {
  const parts = { backendId: 'b', tokenKey: 'User/1', authority: 'a', clientId: 'c', homeAccountId: 'h' };

  it('begin with the token key and differ in every part', () => {
    const name = leaseName(parts);
    expect(name).toMatch(/^=55ser=2f1\.[0-9a-f]{40}$/);
    for (const part of ['backendId', 'tokenKey', 'authority', 'clientId', 'homeAccountId'] as const)
      expect(leaseName({ ...parts, [part]: 'x' })).not.toBe(name);
  });

  it('do not depend on the order of app-only scopes, nor on scopes at all where an account is named', () => {
    const appOnly = { ...parts, homeAccountId: undefined };
    expect(leaseName({ ...appOnly, scopes: ['a', 'b'] })).toBe(leaseName({ ...appOnly, scopes: ['b', 'a'] }));
    expect(leaseName({ ...appOnly, scopes: ['a'] })).not.toBe(leaseName({ ...appOnly, scopes: ['b'] }));
    expect(leaseName({ ...parts, scopes: ['a'] })).toBe(leaseName(parts));
  });
});
