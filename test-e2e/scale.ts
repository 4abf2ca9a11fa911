/**
 * Simulates ten million accounts with the policy and the names that Tokenry uses; docs/scale.md quotes what it prints.
 *
 *   node_modules/.bin/node test-e2e/scale.ts                      10 000 000 accounts, some minutes
 *   node_modules/.bin/node test-e2e/scale.ts --accounts 100000
 */
import { parseArgs } from 'node:util';
import { distributionOf, homeAccountId } from './scale/key-distribution.ts';
import { type ScheduleSettings, simulateSchedule } from './scale/schedule.ts';

const { values } = parseArgs({ options: { accounts: { type: 'string', default: '10000000' } } });
const accounts = Number(values.accounts);
const MINUTE_MS = 60_000;
const ENTRA = [60 * MINUTE_MS, 90 * MINUTE_MS] as const;
const FIXED = [60 * MINUTE_MS, 60 * MINUTE_MS] as const;

const scenarios: readonly (readonly [string, Pick<ScheduleSettings, 'signedInWithinMs' | 'lifetimeMs'>])[] = [
  ['lifetimes of 60 to 90 min, signed in within 1 min', { signedInWithinMs: MINUTE_MS, lifetimeMs: ENTRA }],
  ['lifetimes of 60 to 90 min, signed in within 1 h', { signedInWithinMs: 60 * MINUTE_MS, lifetimeMs: ENTRA }],
  ['lifetimes of 60 min, signed in within 1 min', { signedInWithinMs: MINUTE_MS, lifetimeMs: FIXED }],
  ['lifetimes of 60 min, signed in within 1 h', { signedInWithinMs: 60 * MINUTE_MS, lifetimeMs: FIXED }],
];
console.log(`${accounts} accounts, all in use all the time, 6 h: refreshes per second`);
for (const [name, scenario] of scenarios) {
  const { peakPerHour, mean, late } = simulateSchedule({ accounts, hours: 6, ...scenario });
  console.log(
    `${name}: busiest second of each hour ${peakPerHour.join(', ')}; mean ${mean.toFixed(0)}; callers that waited ${late}`,
  );
}
const layouts: readonly (readonly [string, (account: number) => string])[] = [
  ['home account ids', homeAccountId],
  ['growing numbers (user-0000001)', (account) => `user-${String(account).padStart(8, '0')}`],
];
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
console.log(`\n${accounts} token keys`);
for (const [name, tokenKeyOf] of layouts) {
  const { fullestSlot, fullestRange, newestInOneRange } = distributionOf(accounts, tokenKeyOf);
  console.log(
    `${name}: fullest Redis slot ${fullestSlot.toFixed(2)} × mean; fullest range of names ${percent(fullestRange)}; newest keys in one range ${percent(newestInOneRange)}`,
  );
}
