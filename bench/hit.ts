import { PublicClientApplication } from '@azure/msal-node';
import { Account } from '@tokenry/core';
import { MemoryTokenBackend } from '@tokenry/memory';
import { CLIENT, homeAccountId, objectId, record, SCOPES, shuffled, TENANT, tokenKey } from './fixture.ts';
import { type Benchmark, median, type Row } from './row.ts';

const ROUNDS = 5;
const OURS_US: Readonly<Record<number, number>> = { 1: 0.5, 100: 0.5, 1000: 1, 10000: 1, 100000: 1.5 };
/** Beyond this msal-node needs minutes to load and tens of milliseconds a call. */
const MSAL_LIMIT = 10_000;

/** A valid token from memory: one account per record, asked for in random order. */
export const hits: Benchmark = async (progress) => {
  const rows: Row[] = [];
  for (const accounts of [1, 100, 1_000, 10_000, 100_000]) {
    progress(`hit, ${accounts} accounts`);
    const views = await warmViews(accounts);
    const ours = await oursUs(views);
    const msalNode = accounts <= MSAL_LIMIT ? await msalUs(accounts) : undefined;
    const target = OURS_US[accounts] ?? 1.5;
    const least = accounts === 1 ? 100 : accounts === MSAL_LIMIT ? 40_000 : undefined;
    const fast = least === undefined || msalNode === undefined || msalNode / ours >= least;
    rows.push({
      measure: `hit, ${accounts.toLocaleString('en')} account${accounts === 1 ? '' : 's'}`,
      ours,
      msalNode,
      unit: 'µs',
      target: `≤ ${target} µs${least ? `, ≥ ${least.toLocaleString('en')}× msal-node` : ''}`,
      met: ours <= target && fast,
    });
    if (accounts === 1) rows.push(await forKeyRow(views));
  }
  return rows;
};

async function warmViews(count: number): Promise<Account[]> {
  const tokenBackend = new MemoryTokenBackend({ recordCache: { maxRecords: count + 1 } });
  const account = new Account([CLIENT], { tokenBackend, tenantId: TENANT, scopes: SCOPES });
  const views: Account[] = [];
  for (let index = 0; index < count; index++) {
    await tokenBackend.saveToken(record(index), { tokenKey: tokenKey(index) });
    const view = account.forKey(tokenKey(index));
    await view.getAccessToken();
    views.push(view);
  }
  return views;
}

async function oursUs(views: readonly Account[]): Promise<number> {
  const order = shuffled(views.length);
  const calls = Math.max(200_000, views.length);
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    for (let call = 0, at = 0; call < calls; call++) {
      await views[order[at] ?? 0]?.getAccessToken();
      if (++at === order.length) at = 0;
    }
    rounds.push(((performance.now() - startedAt) * 1000) / calls);
  }
  return median(rounds);
}

async function forKeyRow([account]: readonly Account[]): Promise<Row> {
  const rounds: number[] = [];
  const calls = 200_000;
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now();
    for (let call = 0; call < calls; call++) await account?.forKey(tokenKey(0)).getAccessToken();
    rounds.push(((performance.now() - startedAt) * 1000) / calls);
  }
  const ours = median(rounds);
  return { measure: 'forKey() + hit', ours, unit: 'µs', target: '≤ 2 µs', met: ours <= 2 };
}

/** All accounts in one application, as msal-node keeps them; its tokens are found without any network. */
async function msalUs(count: number): Promise<number> {
  const app = new PublicClientApplication({
    auth: { clientId: CLIENT, authority: `https://login.microsoftonline.com/${TENANT}` },
  });
  app.getTokenCache().deserialize(JSON.stringify(mergedRecords(count)));
  const order = shuffled(count);
  const calls = Math.min(2_000, Math.max(20, Math.ceil(20_000 / count)));
  const rounds: number[] = [];
  for (let round = 0; round < 3; round++) {
    const startedAt = performance.now();
    for (let call = 0; call < calls; call++) {
      const index = order[call % count] ?? 0;
      const account = {
        homeAccountId: homeAccountId(index),
        environment: 'login.windows.net',
        tenantId: TENANT,
        username: '',
        localAccountId: objectId(index),
      };
      const { fromCache } = (await app.acquireTokenSilent({ account, scopes: SCOPES })) ?? {};
      if (!fromCache) throw new Error('msal-node did not find the token');
    }
    rounds.push(((performance.now() - startedAt) * 1000) / calls);
  }
  return median(rounds);
}

function mergedRecords(count: number): Record<string, Record<string, unknown>> {
  const merged: Record<string, Record<string, unknown>> = {};
  for (let index = 0; index < count; index++) {
    for (const [section, entities] of Object.entries(JSON.parse(record(index).serialize()))) {
      merged[section] ??= {};
      Object.assign(merged[section], entities);
    }
  }
  return merged;
}
