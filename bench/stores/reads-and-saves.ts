import { systemClock, type TokenBackend } from '@tokenry/core';
import { CLIENT, homeAccountId, record, TENANT } from '../fixture.ts';
import { median, type Row } from '../row.ts';
import { refreshed } from './refreshed.ts';
import type { BareStore, BenchStore, StartedStore } from './store.ts';

/** Records of this many accounts are read and saved in turn. */
const RECORDS = 200;

/** A record from a store to a token, and a change of it by compare-and-swap; ours and the SDK's own calls take turns. */
export async function readsAndSaves({ name, rounds, warmUp }: BenchStore, store: StartedStore): Promise<readonly Row[]> {
  const writer = store.open();
  for (let index = 0; index < RECORDS; index++) await writer.saveToken(record(index), { tokenKey: keyOf(index) });
  await writer.close();
  // Room for one record, and another is asked for each time: nothing is ever in its memory.
  const backend = store.open({ maxRecords: 1 });
  const reads = await takingTurns(
    { rounds, warmUp },
    {
      ours: (round) => ourRead(backend, round % RECORDS),
      bare: (round) => bareRead(store.bare, round % RECORDS),
    },
  );
  const saves = await takingTurns(
    { rounds, warmUp },
    {
      ours: (round) => ourSave(backend, round % RECORDS, round),
      bare: (round) => bareSave(store.bare, round % RECORDS, round),
    },
  );
  await backend.close();
  return [
    { measure: `cold read from ${name} to a token`, ...reads, unit: 'ms', ...target(reads, 1.3, 'read + JSON.parse') },
    {
      measure: `compare-and-swap save to ${name}`,
      ...saves,
      unit: 'ms',
      ...target(saves, 1.5, 'read + JSON + conditional write'),
    },
  ];
}

const keyOf = (index: number) => `record-${index}`;
/** As programs hold them: worked out before. */
const ACCOUNTS = Array.from({ length: RECORDS }, (_, index) => homeAccountId(index));

interface Pair<T> {
  readonly ours: T;
  readonly bare: T;
}

const target = ({ ours, bare }: Pair<number>, most: number, least: string) => ({
  target: `≤ ${most}× ${least}`,
  met: ours / bare <= most,
});

/** Interleaved, and each first in every other round: what disturbs the machine disturbs both. */
async function takingTurns(
  { rounds, warmUp }: Pick<BenchStore, 'rounds' | 'warmUp'>,
  { ours, bare }: Pair<(round: number) => Promise<void>>,
): Promise<Pair<number>> {
  const times = { ours: [] as number[], bare: [] as number[] };
  for (let round = -warmUp; round < rounds; round++) {
    const at = round + warmUp;
    const turns = [
      [times.ours, ours],
      [times.bare, bare],
    ] as const;
    for (const [found, work] of at % 2 === 0 ? turns : turns.toReversed()) {
      const startedAt = performance.now();
      await work(at);
      if (round >= 0) found.push(performance.now() - startedAt);
    }
  }
  return { ours: median(times.ours), bare: median(times.bare) };
}

async function ourRead(backend: TokenBackend, index: number): Promise<void> {
  const cache = await backend.loadToken({ tokenKey: keyOf(index) });
  const token = cache?.getAccessToken({ homeAccountId: ACCOUNTS[index] as string, clientId: CLIENT, tenantId: TENANT });
  if (!token || token.expiresAt < systemClock.now()) throw new Error('no token');
}

async function bareRead(bare: BareStore, index: number): Promise<void> {
  const { text } = await bare.read(keyOf(index));
  const [token] = Object.values<{ expires_on: string }>(JSON.parse(text).AccessToken);
  if (!token || Number(token.expires_on) * 1000 < Date.now()) throw new Error('no token');
}

async function ourSave(backend: TokenBackend, index: number, round: number): Promise<void> {
  await backend.updateToken((cache) => cache.add(refreshed(index, round)), { tokenKey: keyOf(index) });
}

/** What a refresh changes, put in place by hand. */
async function bareSave(bare: BareStore, index: number, round: number): Promise<void> {
  const { text, version } = await bare.read(keyOf(index));
  const cache = JSON.parse(text);
  const { access_token, refresh_token } = refreshed(index, round).response;
  const now = Math.floor(Date.now() / 1000);
  for (const token of Object.values<Record<string, string>>(cache.AccessToken))
    Object.assign(token, { secret: access_token, cached_at: String(now), expires_on: String(now + 86_400) });
  for (const token of Object.values<Record<string, string>>(cache.RefreshToken)) token.secret = refresh_token;
  await bare.save(keyOf(index), JSON.stringify(cache), version);
}
