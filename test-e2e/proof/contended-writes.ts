import type { BaseTokenBackend } from '@tokenry/core';
import type { Increments, Written } from './children/writes.ts';
import { Findings, type Proof, type ProofSettings } from './harness/proof.ts';
import { Script } from './harness/script.ts';
import { until } from './harness/stage.ts';

/** Processes count up by compare-and-swap in one record and in a hundred; then they change records that are removed. */
export const contendedWrites: Proof = async (settings) => {
  const findings = new Findings('contended writes', settings);
  const { backend } = settings;
  if (!backend.processes) return findings.skipped('this store lives in one process');
  const full = settings.size === 'full';
  const processes = full ? 8 : 4;
  const { location, destroy } = await backend.prepare();
  const store = backend.open(location) as BaseTokenBackend;
  const writers = Array.from({ length: processes }, () => new Script('writes'));
  try {
    await Promise.all(writers.map((writer) => writer.call('open', { backend: backend.name, location })));
    findings.tell('processes', processes);
    const share = { times: (full ? 20_000 : 200) / processes };
    const much = full && backend.name !== 'redis' ? { forMs: 120_000 } : share;
    for (const count of [1, 100]) await countUp(findings, { settings, store, writers, count, much });
    await removeUnderLoad(findings, { settings, store, writers, count: full ? 100 : 20 });
  } finally {
    await Promise.all(writers.map((writer) => writer.end()));
    await store.close();
    await destroy();
  }
  return findings.result();
};

interface Parts {
  readonly settings: ProofSettings;
  readonly store: BaseTokenBackend;
  readonly writers: readonly Script[];
  /** Of the keys. */
  readonly count: number;
}

async function countUp(findings: Findings, { settings, store, writers, count, much }: Parts & { much: Partial<Increments> }) {
  settings.progress(`${count} keys`);
  const keys = Array.from({ length: count }, (_, index) => `count-${count}-${index}`);
  const startedAt = performance.now();
  const found = (await Promise.all(writers.map((writer) => writer.call('increment', { keys, ...much })))) as Written[];
  const seconds = (performance.now() - startedAt) / 1000;
  const confirmed = sum(found, (one) => one.confirmed);
  let stored = 0;
  for (const key of keys) stored += Number((await textOf(store, key)) ?? 0);
  const name = count === 1 ? 'one hot key' : `${count} keys`;
  findings
    .tell(`${name}: increments`, confirmed)
    .tell(
      `${name}: conflicts`,
      sum(found, (one) => one.conflicts),
    )
    .tell(`${name}: increments/s`, confirmed / seconds)
    .requireEqual(`${name}: lost updates`, confirmed - stored, 0);
  const errors = found.flatMap((one) => one.errors);
  if (errors.length > 0) findings.detail(`${name}: ${[...new Set(errors)].join(', ')}`);
  findings.requireEqual(`${name}: errors`, errors.length, 0);
}

async function removeUnderLoad(findings: Findings, { settings, store, writers, count }: Parts) {
  settings.progress('removals');
  const keys = Array.from({ length: count }, (_, index) => `leaving-${index}`);
  for (const key of keys) await store.records.write(key, Buffer.from('0'), { expect: 'absent' });
  const changing = Promise.all(writers.map((writer) => writer.call('changeUntilGone', { keys }))) as Promise<Written[]>;
  changing.catch(() => undefined); // its failure is seen where it is awaited
  await until('somebody changes them', async () => (await textOf(store, keys[0] ?? '')) !== '0', 120_000);
  let removed = 0;
  for (const key of keys) if (await store.records.remove(key, { expect: 'anything' })) removed += 1;
  const found = await changing;
  let back = 0;
  for (const key of keys) if ((await textOf(store, key)) !== undefined) back += 1;
  findings
    .requireEqual('removed under load', removed, count)
    .tell(
      'changes meanwhile',
      sum(found, (one) => one.confirmed),
    )
    .requireEqual('resurrected deletes', back, 0);
}

async function textOf(store: BaseTokenBackend, key: string): Promise<string | undefined> {
  const record = await store.records.read(key);
  return record === undefined || record === 'not-modified' ? undefined : Buffer.from(record.data).toString();
}

const sum = (all: readonly Written[], pick: (one: Written) => number): number => all.reduce((total, one) => total + pick(one), 0);
