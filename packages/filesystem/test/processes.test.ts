import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import { afterEach, describe, expect, test } from 'vitest';
import { Child, scriptNamed } from './child.js';
import { rejection, scratchFolder } from './scratch.js';

/** `KILLS=500` for the long form. */
const KILLS = Number(process.env.KILLS ?? 52);
const WRITERS = 3;

const running: Child[] = [];
afterEach(() => Promise.all(running.splice(0).map((child) => child.kill())));

async function start(script: string, args: readonly unknown[]): Promise<Child> {
  const child = await Child.started(scriptNamed(script), args);
  running.push(child);
  return child;
}

/** What `children/save-counter.ts` writes is whole when its filler repeats its count. */
function countIn(text: string): number {
  const { count, filler } = JSON.parse(text) as { readonly count: number; readonly filler: string };
  expect(filler).toBe(`${count},`.repeat(700));
  return count;
}

describe('several processes', () => {
  test('B01: readers of this and of other processes see the old record or the new one, never a torn or empty file', async () => {
    const folder = await scratchFolder();
    const writer = await start('save-counter', [folder, 'forever']);
    const readers = [await start('read-counter', [folder]), await start('read-counter', [folder])];
    const inHere = new FileSystemTokenBackend({ tokenPath: folder });
    let [last, reads] = [0, 0];
    const until = performance.now() + 1_500;
    while (performance.now() < until) {
      const record = await inHere.records.read('counter');
      const count = record && record !== 'not-modified' ? countIn(Buffer.from(record.data).toString()) : 0;
      expect(count).toBeGreaterThanOrEqual(last);
      [last, reads] = [count, reads + 1];
    }
    for (const reader of readers) {
      reader.say('stop');
      const said = await reader.hear<{ readonly reads: number; readonly faults: readonly string[] }>();
      expect(said.faults).toEqual([]);
      expect(said.reads).toBeGreaterThan(50);
    }
    expect(last).toBeGreaterThan(20);
    expect(reads).toBeGreaterThan(50);
    await writer.kill();
  });

  test('D-06: concurrent compare-and-swap from several processes loses no update', async () => {
    const folder = await scratchFolder();
    const each = 40;
    const writers = await Promise.all(Array.from({ length: WRITERS }, () => start('save-counter', [folder, each])));
    expect(await Promise.all(writers.map((writer) => writer.hear()))).toEqual(Array(WRITERS).fill({ saved: each }));
    expect(countIn(await readFile(join(folder, 'counter.token'), 'utf8'))).toBe(each * WRITERS);
    expect(await readdir(folder)).toEqual(['counter.token']);
  });

  test(`${KILLS} kills in the middle of saves: no torn file, no empty file, no stuck lock, no saved update lost`, async () => {
    const folder = await scratchFolder();
    const path = join(folder, 'counter.token');
    const survivor = new FileSystemTokenBackend({ tokenPath: folder, writeLock: { waitMs: 5_000 } });
    let confirmed = 0;
    for (let kill = 0; kill < KILLS; kill += 2) {
      const victims = await Promise.all([start('save-counter', [folder, 'confirm']), start('save-counter', [folder, 'confirm'])]);
      for (const victim of victims)
        victim.process.on('message', (said: { saved?: number }) => (confirmed = Math.max(confirmed, said.saved ?? 0)));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 15));
      await Promise.all(victims.map((victim) => victim.kill()));
      running.splice(0);
      const found = await readFile(path, 'utf8').catch(() => undefined);
      if (found !== undefined) expect(countIn(found)).toBeGreaterThanOrEqual(confirmed);
      await survivor.records.write('counter', Buffer.from(counter(confirmed + 1_000)), { expect: 'anything' });
      confirmed += 1_000;
    }
    expect(countIn(await readFile(path, 'utf8'))).toBe(confirmed);
    // The next process tidies up what all of them left.
    await (await start('save-counter', [folder, 1])).exited;
    expect((await readdir(folder)).filter((name) => name !== 'counter.token')).toEqual([]);
  });

  test('a stopped process keeps the write lock, and goes on with its save when it continues', async () => {
    const folder = await scratchFolder();
    const holder = await start('hold-lock', [join(folder, '=lock-counter.token')]);
    holder.process.kill('SIGSTOP');
    const backend = new FileSystemTokenBackend({ tokenPath: folder, writeLock: { ttlMs: 10, waitMs: 150 } });
    const error = await rejection(backend.records.write('counter', Buffer.from('{}'), { expect: 'absent' }));
    expect(error).toMatchObject({ code: 'TOKENRY_LEASE_TIMEOUT', holder: `process ${holder.process.pid} on this machine` });
    expect(await readdir(folder)).toEqual(['=lock-counter.token']);
    holder.process.kill('SIGCONT');
    holder.say('release');
    expect(await holder.hear()).toBe('released');
    expect(await backend.records.write('counter', Buffer.from('{}'), { expect: 'absent' })).toMatch(/^[\w-]{43}$/);
  });

  test('a process that saved, listed and held a lease ends by itself', async () => {
    const folder = await scratchFolder();
    const child = new Child(scriptNamed('use-and-end'), [folder]);
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(await readFile(join(folder, 'o365_token.txt'), 'utf8')).toBe('{}');
  });
});

function counter(count: number): string {
  return JSON.stringify({ count, filler: `${count},`.repeat(700) });
}
