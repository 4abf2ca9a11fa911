import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireLease, CapabilityError } from '@tokenry/core/backend';
import { FileSystemLeases } from '@tokenry/filesystem';
import { describe, expect, test } from 'vitest';
import { Child, scriptNamed } from './child.js';
import { eventually, rejection, scratchFolder } from './scratch.js';

/** A monotonic clock that moves when told to. */
class HandClock {
  #at = 0;
  now = (): number => Date.now();
  monotonic = (): number => this.#at;
  advance(ms: number): void {
    this.#at += ms;
  }
}

const mine = { owner: 'me', ttlMs: 1_000 };
const yours = { owner: 'you', ttlMs: 1_000 };

describe('leases in files', () => {
  test('one holder at a time; given back, the next may have it, and no file stays', async () => {
    const tokenPath = await scratchFolder();
    const [a, b] = [new FileSystemLeases({ tokenPath }), new FileSystemLeases({ tokenPath })];
    expect(await a.tryAcquire('l', mine)).toEqual({ acquired: true });
    const refusal = await b.tryAcquire('l', yours);
    expect(refusal).toEqual({ acquired: false, holder: 'me', version: expect.stringMatching(/^[\w-]{43}$/) });
    expect(await a.tryAcquire('l', mine)).toEqual(refusal);
    expect(await a.tryAcquire('other', mine)).toEqual({ acquired: true });
    await a.release('l', mine);
    await a.release('other', mine);
    expect(await b.tryAcquire('l', yours)).toEqual({ acquired: true });
    await b.release('l', yours);
    expect(await readdir(tokenPath)).toEqual([]);
  });

  test('only the holder renews and releases', async () => {
    const tokenPath = await scratchFolder();
    const leases = new FileSystemLeases({ tokenPath });
    await leases.tryAcquire('l', mine);
    await leases.release('l', yours);
    expect(await leases.renew('l', yours)).toBe(false);
    const before = await leases.tryAcquire('l', yours);
    expect(await leases.renew('l', mine)).toBe(true);
    const after = await leases.tryAcquire('l', yours);
    expect(after).toMatchObject({ acquired: false, holder: 'me' });
    expect(after).not.toEqual(before);
    await leases.release('l', mine);
    expect([await leases.renew('l', mine), await readdir(tokenPath)]).toEqual([false, []]);
  });

  test('is taken over only after one TTL of the holder without a renewal, on the own clock of the contender', async () => {
    const tokenPath = await scratchFolder();
    const clock = new HandClock();
    const [a, b] = [new FileSystemLeases({ tokenPath }), new FileSystemLeases({ tokenPath, clock })];
    await a.tryAcquire('l', mine);
    clock.advance(1_000_000);
    expect(await b.tryAcquire('l', { ...yours, ttlMs: 1 })).toMatchObject({ acquired: false });
    clock.advance(999);
    expect(await b.tryAcquire('l', { ...yours, ttlMs: 1 })).toMatchObject({ acquired: false });
    await a.renew('l', mine);
    clock.advance(1);
    expect(await b.tryAcquire('l', yours)).toMatchObject({ acquired: false });
    clock.advance(1_000);
    expect(await b.tryAcquire('l', yours)).toEqual({ acquired: true });
    expect(await a.renew('l', mine)).toBe(false);
    await a.release('l', mine);
    expect(await a.tryAcquire('l', mine)).toMatchObject({ acquired: false, holder: 'you' });
  });

  test.each(['', 'somebody was here', `${'x'.repeat(5_000)}\u0000`])(
    'a file that is no lease (%#) counts as held by an unknown, and is taken over after one TTL',
    async (text) => {
      const tokenPath = await scratchFolder();
      const clock = new HandClock();
      const leases = new FileSystemLeases({ tokenPath, clock });
      await writeFile(join(tokenPath, '=lease-l'), text);
      expect(await leases.renew('l', mine)).toBe(false);
      expect(await leases.tryAcquire('l', mine)).toMatchObject({ acquired: false, holder: 'an unknown program' });
      await leases.release('l', mine);
      clock.advance(mine.ttlMs - 1);
      expect(await leases.tryAcquire('l', mine)).toMatchObject({ acquired: false });
      clock.advance(1);
      expect(await leases.tryAcquire('l', mine)).toEqual({ acquired: true });
      expect(await leases.tryAcquire('l', yours)).toMatchObject({ acquired: false, holder: 'me' });
    },
  );

  test('is taken from a process that ended at once', async () => {
    const tokenPath = await scratchFolder();
    const child = await Child.started(scriptNamed('hold-lease'), [tokenPath, 'l', 'the child', 60_000]);
    const leases = new FileSystemLeases({ tokenPath });
    expect(await leases.tryAcquire('l', mine)).toMatchObject({ acquired: false, holder: 'the child' });
    await child.kill();
    expect(await leases.tryAcquire('l', mine)).toEqual({ acquired: true });
  });

  test('is taken from a stopped process after one TTL; when it goes on, it learns that it lost', async () => {
    const tokenPath = await scratchFolder();
    const child = await Child.started(scriptNamed('hold-lease'), [tokenPath, 'l', 'the child', 150]);
    child.process.kill('SIGSTOP');
    const leases = new FileSystemLeases({ tokenPath });
    expect(await leases.tryAcquire('l', mine)).toMatchObject({ acquired: false });
    await eventually('the lease is taken over', async () => ((await leases.tryAcquire('l', mine)).acquired ? true : undefined));
    child.process.kill('SIGCONT');
    child.say('renew');
    expect(await child.hear()).toEqual({ renewed: false });
    child.say('release');
    expect(await child.hear()).toBe('released');
    expect(await leases.renew('l', mine)).toBe(true);
    await child.kill();
  });

  test.each([
    ['empty', ''],
    ['garbage', '{"owner":'],
    ['of a strange format', 'pid=1 ttl=forever'],
  ])('a file that is %s is held by an unknown for one TTL', async (_, text) => {
    const tokenPath = await scratchFolder();
    await writeFile(join(tokenPath, '=lease-l'), text);
    const clock = new HandClock();
    const leases = new FileSystemLeases({ tokenPath, clock });
    expect(await leases.tryAcquire('l', mine)).toMatchObject({ acquired: false, holder: 'an unknown program' });
    expect(await leases.renew('l', mine)).toBe(false);
    clock.advance(1_000);
    expect(await leases.tryAcquire('l', mine)).toEqual({ acquired: true });
    expect(await leases.renew('l', mine)).toBe(true);
  });

  test('a folder in its place is an error with advice', async () => {
    const tokenPath = await scratchFolder();
    await mkdir(join(tokenPath, '=lease-l'));
    expect(CapabilityError.is(await rejection(new FileSystemLeases({ tokenPath }).tryAcquire('l', mine)))).toBe(true);
  });

  test('any name and any owner will do', async () => {
    const tokenPath = await scratchFolder();
    const leases = new FileSystemLeases({ tokenPath });
    const owners = ['', 'a "quoted" one', 'Zoë\n', 'x'.repeat(2_000), '\u0000', '\uD800'];
    for (const [index, owner] of owners.entries()) {
      const names = [`n${index}`, `../N${index}/`, `ü${index}`, 'y'.repeat(1_000) + index];
      for (const name of names) {
        expect(await leases.tryAcquire(name, { owner, ttlMs: 1_000 })).toEqual({ acquired: true });
        expect(await leases.renew(name, { owner, ttlMs: 1_000 })).toBe(true);
        expect(await leases.renew(name, { owner: `${owner}.`, ttlMs: 1_000 })).toBe(false);
        await leases.release(name, { owner, ttlMs: 1_000 });
      }
    }
    expect(await readdir(tokenPath)).toEqual([]);
  });

  test('core waits for it, renews it and gives it back', async () => {
    const tokenPath = join(await scratchFolder(), 'made', 'on demand');
    const provider = new FileSystemLeases({ tokenPath });
    const options = {
      timing: { ttlMs: 300, renewEveryMs: 20, waitMs: 5_000 },
      clock: { now: Date.now, monotonic: () => performance.now() },
    };
    const first = await acquireLease(provider, 'l', options);
    const second = acquireLease(provider, 'l', options);
    const versions = new Set<string>();
    await eventually('some renewals', async () => {
      const seen = await provider.tryAcquire('l', yours);
      if (!seen.acquired) versions.add(seen.version);
      return versions.size > 3 ? true : undefined;
    });
    if ('lease' in first) await first.lease.release();
    const next = await second;
    expect('lease' in next && next.lease.lost).toBe(false);
    if ('lease' in next) await next.lease.release();
    expect(await readdir(tokenPath)).toEqual([]);
  });

  test('unknown options are refused', () => {
    expect(() => new FileSystemLeases({ tokenpath: '/x' } as object)).toThrow(/did you mean "tokenPath"/);
  });
});
