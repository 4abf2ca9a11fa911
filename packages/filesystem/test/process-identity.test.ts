import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { claimOwner, describeClaim, newClaim } from '../src/claim.js';
import { readClaim } from '../src/claim-file.js';
import { currentOwner, formatOwner, ownerState, parseOwner } from '../src/process-identity.js';
import { Child, scriptNamed } from './child.js';
import { eventually, scratchFolder } from './scratch.js';

const onLinux = process.platform === 'linux';

describe('process identity', () => {
  test('a thread is alive to itself', () => {
    expect(ownerState(currentOwner())).toBe('alive');
  });

  test('an owner survives the way through text, in at most 36 characters', () => {
    const text = formatOwner(currentOwner());
    expect(parseOwner(text)).toEqual(currentOwner());
    expect(text.length).toBeLessThanOrEqual(36);
  });

  test('nothing is known about other machines and about texts that are none of ours', () => {
    expect(ownerState({ ...currentOwner(), machine: '0123456789abcdef' })).toBe('unknown');
    for (const text of ['', 'pid 42', '{"pid":42}', '../../etc/passwd', `${formatOwner(currentOwner())}x y`])
      expect(ownerState(parseOwner(text))).toBe('unknown');
  });

  test('a process is alive while it is stopped, and dead as soon as it ended', async () => {
    const lock = join(await scratchFolder(), '=lock-x');
    const child = await Child.started(scriptNamed('hold-lock'), [lock]);
    const owner = claimOwner((await readClaim(lock))?.text ?? '');
    child.process.kill('SIGSTOP');
    expect(owner?.pid).toBe(child.process.pid);
    expect(ownerState(owner)).toBe('alive');
    await child.kill();
    expect(ownerState(owner)).toBe('dead');
  });

  test.runIf(onLinux)('a pid that was given to another process is no sign of life', () => {
    expect(ownerState({ ...currentOwner(), startedAt: currentOwner().startedAt - 1 })).toBe('dead');
  });

  test.runIf(onLinux)('a process that ended and that nobody collected is dead', async () => {
    // The shell becomes "sleep", which never waits for the child that it inherited; the child ends after that.
    const untilReplaced = 'until read name < /proc/$$/comm && [ "$name" = sleep ]; do :; done';
    const parent = spawn('sh', ['-c', `(${untilReplaced}) & echo $!; exec sleep 60`], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const pid = Number(await new Promise((resolve) => parent.stdout.once('data', (data) => resolve(String(data)))));
      const stat = await eventually('the zombie', async () => {
        const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
        return fields[0] === 'Z' ? fields : undefined;
      });
      expect(ownerState({ ...currentOwner(), pid, tid: pid, startedAt: Number(stat[19]) })).toBe('dead');
    } finally {
      parent.kill('SIGKILL');
    }
  });

  test.runIf(onLinux)('a worker thread is an owner of its own, and dead when it ended', async () => {
    const worker = new Worker(new URL('./children/worker-owner.ts', import.meta.url));
    const claim = await new Promise<string>((resolve) => worker.once('message', resolve));
    const owner = claimOwner(claim);
    expect(owner).toMatchObject({ machine: currentOwner().machine, pid: process.pid });
    expect(owner?.tid).not.toBe(process.pid);
    expect(ownerState(owner)).toBe('alive');
    await worker.terminate();
    await eventually('the thread is gone', () => (ownerState(owner) === 'dead' ? true : undefined));
  });

  test('no two claims are equal, and each fits into an inode', () => {
    const claims = new Set(Array.from({ length: 1_000 }, () => newClaim()));
    expect(claims.size).toBe(1_000);
    for (const claim of claims) expect(claim.length).toBeLessThanOrEqual(59);
  });

  test('people read where the owner is', () => {
    expect(describeClaim(newClaim())).toBe(`process ${process.pid} on this machine`);
    expect(describeClaim('0123456789abcdef.16.16.1.aaaaaaaaaa@web-3')).toBe('process 42 on web-3');
    expect(describeClaim('somebody else was here')).toBe('an unknown program');
  });
});
