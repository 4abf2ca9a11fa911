import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BrokenBackend } from './broken/backend.js';
import { brokenFaces } from './broken/faces.js';
import { brokenLeases, soundLeases } from './broken/leases.js';
import { brokenReads } from './broken/reads.js';
import { verdicts } from './broken/verdicts.js';
import { brokenWrites } from './broken/writes.js';
import { failuresOf } from './failures-of.js';
import { mapStore } from './shared-map.js';

const brokenBackends: readonly BrokenBackend[] = [...brokenWrites, ...brokenReads, ...brokenFaces, ...brokenLeases];

describe('the kit finds nothing wrong with a sound backend', () => {
  test('whose leases are the default ones', async () => {
    expect(await failuresOf(async () => mapStore())).toEqual(new Map());
  });
  test('that brings its own leases', async () => {
    expect(await failuresOf(soundLeases.createStore)).toEqual(new Map());
  });
});

describe('the kit catches a backend that', () => {
  test.each(brokenBackends)('$defect', async ({ defect, createStore }) => {
    const { caughtBy, alsoIn } = verdicts[defect] ?? { caughtBy: [], alsoIn: [] };
    const failures = await failuresOf(createStore);
    expect(caughtBy).not.toEqual([]);
    expect(caughtBy.filter((name) => !failures.has(name))).toEqual([]);
    const elsewhere = [...failures].filter(([name]) => !caughtBy.includes(name) && !alsoIn.includes(name.split(':', 1)[0] ?? ''));
    expect(elsewhere).toEqual([]);
  });

  test('is broken in as many ways as the README says', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(`and ${brokenBackends.length} backends with one defect each`);
  });

  test('is broken in any of the ways that have a verdict', () => {
    expect(Object.keys(verdicts).sort()).toEqual(brokenBackends.map(({ defect }) => defect).sort());
  });
});
