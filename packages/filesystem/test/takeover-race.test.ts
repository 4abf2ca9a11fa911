import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Child, scriptNamed } from './child.js';
import { scratchFolder } from './scratch.js';

const PROCESSES = 4;
/** `TAKEOVER_ROUNDS=1000` for the long form. */
const ROUNDS = Number(process.env.TAKEOVER_ROUNDS ?? 150);

const running: Child[] = [];
afterEach(() => Promise.all(running.splice(0).map((child) => child.kill())));

async function contestants(script: string, args: readonly unknown[]): Promise<readonly Child[]> {
  running.push(...(await Promise.all(Array.from({ length: PROCESSES }, () => Child.started(scriptNamed(script), args)))));
  return running;
}

async function deadClaim(): Promise<string> {
  const child = new Child(scriptNamed('print-owner'));
  const claim = await child.hear<string>();
  await child.exited;
  return claim;
}

/** Every round: a stale claim under a new name, and all processes at once. Adds up what they say. */
async function race<Key extends string>(
  children: readonly Child[],
  prepare: (round: number) => Promise<string>,
  key: Key,
  rounds = ROUNDS,
): Promise<number[]> {
  const results: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const target = await prepare(round);
    for (const child of children) child.say(target);
    const said = await Promise.all(children.map((child) => child.hear<Record<Key, number>>()));
    results.push(said.reduce((sum, one) => sum + one[key], 0));
  }
  return results;
}

describe(`${PROCESSES} processes and a stale owner, ${ROUNDS} rounds`, () => {
  test('a stale write lock is never held twice', async () => {
    const folder = await scratchFolder();
    const claim = await deadClaim();
    const children = await contestants('race-locks', [3, 'ours']);
    const doubles = await race(children, async (round) => staleClaim(join(folder, `=lock-${round}`), claim), 'doubles');
    expect(doubles.filter((count) => count > 0)).toEqual([]);
  });

  test('the same race catches a takeover that only unlinks and creates', async () => {
    const folder = await scratchFolder();
    const claim = await deadClaim();
    const children = await contestants('race-locks', [3, 'naive']);
    const doubles = await race(children, async (round) => staleClaim(join(folder, `=lock-${round}`), claim), 'doubles', 60);
    expect(doubles.filter((count) => count > 0).length).toBeGreaterThan(0);
  });

  test('a lease of a dead process is taken by exactly one', async () => {
    const folder = await scratchFolder();
    const claim = `${await deadClaim()} 60000 "the dead"`;
    const children = await contestants('race-leases', [folder, 3]);
    const taken = await race(children, async (round) => staleLease(folder, `r${round}`, claim), 'taken');
    expect(taken).toEqual(Array(ROUNDS).fill(1));
  });

  test("a lease of another machine's process is taken by exactly one, after its TTL", async () => {
    const folder = await scratchFolder();
    const claim = '0123456789abcdef.16.16.1.aaaaaaaaaa@web-3 25 "the dead"';
    const children = await contestants('race-leases', [folder, 1]);
    const rounds = Math.ceil(ROUNDS / 5);
    const taken = await race(children, async (round) => staleLease(folder, `r${round}`, claim), 'taken', rounds);
    expect(taken).toEqual(Array(rounds).fill(1));
  });
});

async function staleClaim(path: string, claim: string): Promise<string> {
  await symlink(claim, path);
  return path;
}

async function staleLease(folder: string, name: string, claim: string): Promise<string> {
  await symlink(claim, join(folder, `=lease-${name}`));
  return name;
}
