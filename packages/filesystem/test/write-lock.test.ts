import { lstat, readdir, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LeaseTimeoutError } from '@tokenry/core/backend';
import { describe, expect, test } from 'vitest';
import { type ClaimSeen, readClaim, removeClaim } from '../src/claim-file.js';
import { guardPathOf, removeStaleClaim } from '../src/stale-claim.js';
import { lockPathOf, WriteLock } from '../src/write-lock.js';
import { Child, scriptNamed } from './child.js';
import { eventually, rejection, scratchFolder } from './scratch.js';

const nothing = async (): Promise<void> => undefined;
const lockIn = async (): Promise<string> => lockPathOf(join(await scratchFolder(), 'record'));

/** A claim whose owner has ended. */
async function deadClaim(): Promise<string> {
  const child = new Child(scriptNamed('print-owner'));
  const claim = await child.hear<string>();
  await child.exited;
  return claim;
}
async function seenAt(path: string): Promise<ClaimSeen> {
  const seen = await readClaim(path);
  if (!seen) throw new Error(`nothing at ${path}`);
  return seen;
}

const FOREIGN = '0123456789abcdef.16.16.1.aaaaaaaaaa@web-3';

describe('write lock', () => {
  test('leaves nothing behind', async () => {
    const path = await lockIn();
    expect(await new WriteLock().run(path, async () => readdir(dirname(path)))).toEqual(['=lock-record']);
    expect(await readdir(dirname(path))).toEqual([]);
  });

  test('is given back when the action fails', async () => {
    const path = await lockIn();
    const lock = new WriteLock();
    await expect(lock.run(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await lock.run(path, async () => 'again')).toBe('again');
  });

  test('excludes actions of one instance, of two instances, and of two processes', async () => {
    const path = await lockIn();
    const locks = [new WriteLock(), new WriteLock()];
    let inside = 0;
    const alone = async (): Promise<number> => {
      const seen = ++inside;
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      return seen;
    };
    expect(await Promise.all(Array.from({ length: 20 }, (_, i) => locks[i % 2]?.run(path, alone)))).toEqual(Array(20).fill(1));
    const child = await Child.started(scriptNamed('hold-lock'), [path]);
    const waiting = new WriteLock().run(path, async () => 'mine');
    expect(await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 100, 'waiting'))])).toBe('waiting');
    child.say('release');
    expect(await waiting).toBe('mine');
  });

  test('is never taken from a live process, stopped or not, and at once from a dead one', async () => {
    const path = await lockIn();
    const child = await Child.started(scriptNamed('hold-lock'), [path]);
    child.process.kill('SIGSTOP');
    const error = await rejection(new WriteLock({ ttlMs: 1, waitMs: 200 }).run(path, nothing));
    expect(LeaseTimeoutError.is(error)).toBe(true);
    expect(error.holder).toBe(`process ${child.process.pid} on this machine`);
    expect(error.message).toContain(path);
    await child.kill();
    expect(await new WriteLock({ waitMs: 2_000 }).run(path, async () => 'taken')).toBe('taken');
  });

  test("is taken from another machine's owner only after one TTL without any change", async () => {
    const path = await lockIn();
    await symlink(FOREIGN, path);
    const error = await rejection(new WriteLock({ ttlMs: 60_000, waitMs: 100 }).run(path, nothing));
    expect(error).toMatchObject({ code: 'TOKENRY_LEASE_TIMEOUT', holder: 'process 42 on web-3' });
    expect(await new WriteLock({ ttlMs: 100 }).run(path, async () => 'taken')).toBe('taken');
  });

  test('remembers what it saw from one attempt to the next', async () => {
    const path = await lockIn();
    await symlink(FOREIGN, path);
    const lock = new WriteLock({ ttlMs: 200, waitMs: 60 });
    const taken = await eventually('the lock is taken', () => lock.run(path, async () => true).catch(() => undefined));
    expect(taken).toBe(true);
  });

  test.each([
    ['an empty file', ''],
    ["a stranger's pid file", '4711\n'],
    ['garbage', '\u0000\uFFFF'],
  ])('%s counts as a stranger', async (_, text) => {
    const path = await lockIn();
    await writeFile(path, text);
    expect(await rejection(new WriteLock({ ttlMs: 60_000, waitMs: 50 }).run(path, nothing))).toMatchObject({
      holder: 'an unknown program',
    });
    expect(await new WriteLock({ ttlMs: 50 }).run(path, async () => 'taken')).toBe('taken');
  });

  test('a file written anew with the same text starts the wait again', async () => {
    const path = await lockIn();
    await writeFile(path, '');
    const first = await readClaim(path);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await writeFile(path, '');
    expect((await readClaim(path))?.fingerprint).not.toBe(first?.fingerprint);
  });

  test('a takeover whose own owner died, at any depth, is taken over', async () => {
    const path = await lockIn();
    // A process that died while it held the right to take the lock; and one more, which was taking over from that one.
    for (let claimed = path, depth = 0; depth < 3; depth++) {
      await symlink(await deadClaim(), claimed);
      claimed = guardPathOf(claimed, await seenAt(claimed));
    }
    expect(await readdir(dirname(path))).toHaveLength(3);
    expect(await new WriteLock({ waitMs: 5_000 }).run(path, async () => 'taken')).toBe('taken');
    expect(await readdir(dirname(path))).toEqual([]);
  });

  test('a late takeover never removes a newer claim', async () => {
    const path = await lockIn();
    await symlink(await deadClaim(), path);
    const stale = await seenAt(path);
    const lock = new WriteLock();
    await lock.run(path, async () => {
      const mine = await readClaim(path);
      await removeStaleClaim(path, stale, lock.rules);
      expect(await readClaim(path)).toEqual(mine);
    });
    expect(await readdir(dirname(path))).toEqual([]);
  });

  test('waiting ends with the reason of the signal', async () => {
    const path = await lockIn();
    const child = await Child.started(scriptNamed('hold-lock'), [path]);
    const controller = new AbortController();
    const lock = new WriteLock();
    const first = lock.run(path, nothing, controller.signal);
    const queued = lock.run(path, nothing, controller.signal);
    controller.abort(new Error('enough'));
    expect(await Promise.all([rejection(first), rejection(queued)])).toMatchObject([
      { message: 'enough' },
      { message: 'enough' },
    ]);
    await child.kill();
    expect(await lock.run(path, async () => 'later')).toBe('later');
  });

  test('a lock that could not be given back is given back later', async () => {
    const path = await lockIn();
    const lock = new WriteLock();
    const folder = dirname(path);
    const elsewhere = `${folder}-moved`;
    // The folder disappears while the lock is held, as on an unmounted disk, and a file takes its place.
    await lock.run(path, async () => {
      await rename(folder, elsewhere);
      await writeFile(folder, '');
    });
    await unlink(folder);
    await rename(elsewhere, folder);
    expect(await readdir(folder)).toEqual(['=lock-record']);
    expect(await new WriteLock().run(path, async () => 'free')).toBe('free');
    expect(await readdir(folder)).toEqual([]);
  });

  test('who stood still for too long looks again, and leaves the lock of another alone', async () => {
    const path = await lockIn();
    const lock = new WriteLock({ ttlMs: 20 });
    const seen = await lock.run(path, async (held) => {
      const before = await held.isHeld();
      await removeClaim(path);
      await symlink(FOREIGN, path);
      await eventually('half a TTL is over', async () => ((await held.isHeld()) ? undefined : true));
      return before;
    });
    expect([seen, (await seenAt(path)).text]).toEqual([true, FOREIGN]);
  });

  test('a long file name is locked under its hash', async () => {
    const path = lockPathOf(join('/x', 'n'.repeat(255)));
    expect(path).toMatch(/^\/x\/=lock-[0-9a-f]{64}$/);
  });

  test.skipIf(process.platform === 'win32')('is a link that leads nowhere, readable whole or not at all', async () => {
    const path = await lockIn();
    await new WriteLock().run(path, async () => {
      expect((await lstat(path)).isSymbolicLink()).toBe(true);
    });
  });
});
