import { Account, type Clock, type TokenProvider } from '@tokenry/core';
import { MemoryTokenBackend } from '@tokenry/memory';
import { defaultWindows, drawFor, scheduleOf } from '../../../packages/core/src/refresh/policy.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const LIFETIME_MS = 3_600_000;
const START = Date.UTC(2026, 0, 1);
/** The same numbers in every run: a proof that fails once in fifty runs proves nothing. */
let seed = 1;
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
}
const ENVIRONMENT = 'login.simulated.example';

export interface SimulatedDay {
  readonly accounts: number;
  readonly perAccount: number;
  readonly perMinute: readonly number[];
  readonly peakToMean: number;
  readonly peakToMeanAtEnd: number;
  /** Token calls that were not the one that an expiry needs. */
  readonly beyond: number;
}

interface Simulation {
  readonly accounts: number;
  /** True: every refresh goes through accounts, coordinator, leases and a store. False: the policy alone. */
  readonly coordinator: boolean;
  /** When accounts obtained their first token: anywhere in the cycle before, or all at once. */
  readonly start: 'random' | 'common';
  readonly progress: (text: string) => void;
}

/** Lets accounts that are in use all the time refresh for a day. */
export async function simulateDay(simulation: Simulation): Promise<SimulatedDay> {
  const perMinute = new Array<number>(DAY_MS / MINUTE_MS).fill(0);
  seed = simulation.accounts;
  const world = simulation.coordinator ? new AccountsInMemory() : new PolicyAlone();
  const due = new Agenda();
  for (let account = 0; account < simulation.accounts; account++) {
    const issuedAt = simulation.start === 'common' ? START : START - random() * (LIFETIME_MS - defaultWindows.softWindowMs);
    due.add(await world.signIn(account, issuedAt), account);
  }
  let refreshes = 0;
  let early = 0;
  for (let next = due.take(); next.at < START + DAY_MS; next = due.take()) {
    const { at, account } = next;
    due.add(await world.refresh(account, at), account);
    const minute = Math.floor((at - START) / MINUTE_MS);
    // Before the day begins, accounts that started at random moments only find their pace.
    if (minute < 0) {
      early += 1;
      continue;
    }
    perMinute[minute] = (perMinute[minute] ?? 0) + 1;
    if (++refreshes % 5_000 === 0)
      simulation.progress(`${simulation.accounts} accounts: ${Math.round((100 * (at - START)) / DAY_MS)} %`);
  }
  return {
    accounts: simulation.accounts,
    perAccount: refreshes / simulation.accounts,
    perMinute,
    peakToMean: peakToMean(perMinute),
    peakToMeanAtEnd: peakToMean(perMinute.slice(-360)),
    beyond: world.calls - refreshes - early,
  };
}

function peakToMean(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  return Math.max(...values) / (sum / values.length);
}

/** When which account leaves its soft window: a binary heap. */
class Agenda {
  readonly #heap: { readonly at: number; readonly account: number }[] = [];

  add(at: number, account: number): void {
    const heap = this.#heap;
    let index = heap.push({ at, account }) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= this.#at(index)) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  take(): { readonly at: number; readonly account: number } {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last) throw new Error('nothing is due');
    if (heap.length > 0) heap[0] = last;
    for (let index = 0; ; ) {
      const left = 2 * index + 1;
      const least = this.#at(left + 1) < this.#at(left) ? left + 1 : left;
      if (this.#at(least) >= this.#at(index) || left >= heap.length) return first;
      this.#swap(index, least);
      index = least;
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (!a || !b) return;
    this.#heap[one] = b;
    this.#heap[other] = a;
  }
}

interface SimulatedWorld {
  readonly calls: number;
  /** Resolves to the instant from which a refresh is due. */
  signIn(account: number, at: number): Promise<number>;
  refresh(account: number, at: number): Promise<number>;
}

/** The refresh policy on its own, for numbers of accounts that would take an hour with everything around it. */
class PolicyAlone implements SimulatedWorld {
  calls = 0;
  #issued = 0;

  async signIn(_account: number, at: number): Promise<number> {
    return this.#issue(at);
  }
  async refresh(_account: number, at: number): Promise<number> {
    this.calls += 1;
    return this.#issue(at);
  }
  #issue(at: number): number {
    return dueAt(`at-TEST-${++this.#issued}-${random()}`, at);
  }
}

function dueAt(secret: string, issuedAt: number): number {
  // As stored: whole seconds.
  const cachedAt = Math.floor(issuedAt / 1000) * 1000;
  const token = { secret, cachedAt, expiresAt: cachedAt + LIFETIME_MS, scopes: [], homeAccountId: null, tenantId: '' };
  return scheduleOf(token, defaultWindows, drawFor(secret)).softAt;
}

/** Whole accounts: their calls, the coordinator with its leases, records in a store; only the server is made up. */
class AccountsInMemory implements SimulatedWorld {
  calls = 0;
  #now = START;
  #issued = 0;
  #newest = '';
  readonly #backend: MemoryTokenBackend;
  readonly #account: Account;

  constructor() {
    const clock: Clock = {
      now: () => this.#now,
      monotonic: () => this.#now - START + DAY_MS,
      // Nothing here waits for anything but the end of its lease's heartbeat.
      sleep: (_ms, { signal } = {}) =>
        new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true })),
    };
    this.#backend = new MemoryTokenBackend({ clock, recordCache: { maxRecords: 200_000 } });
    this.#account = new Account(
      { clientId: 'client' },
      { provider: this.#provider(), tokenBackend: this.#backend, scopes: 'User.Read', clock },
    );
  }

  async signIn(account: number, at: number): Promise<number> {
    this.#now = at;
    const response = this.#answer(account);
    await this.#backend.updateToken(
      (cache) =>
        cache.add({ response, environment: ENVIRONMENT, clientId: 'client', tenantId: 'tenant', scopes: SCOPES, now: at }),
      { tokenKey: keyOf(account) },
    );
    return dueAt(this.#newest, at);
  }

  async refresh(account: number, at: number): Promise<number> {
    this.#now = at;
    const view = this.#account.forKey(keyOf(account));
    const before = this.#issued;
    // A caller at the very start of the soft window: it gets the old token, and a refresh in the background.
    await view.getAccessToken();
    for (let turn = 0; this.#issued === before && turn < 1_000; turn++)
      await new Promise<void>((resolve) => setImmediate(resolve));
    while ((await this.#backend.loadToken({ tokenKey: keyOf(account) }))?.getAccessToken()?.secret !== this.#newest)
      await new Promise<void>((resolve) => setImmediate(resolve));
    // Once refreshed, callers cost nothing more.
    await view.getAccessToken();
    return dueAt(this.#newest, at);
  }

  #answer(account: number) {
    const number = ++this.#issued;
    this.#newest = `at-TEST-${number}-${random()}`;
    return {
      token_type: 'Bearer',
      access_token: this.#newest,
      refresh_token: `rt-TEST-${number}`,
      expires_in: LIFETIME_MS / 1000,
      scope: SCOPES.join(' '),
      client_info: Buffer.from(JSON.stringify({ uid: `user${account}`, utid: 'tenant' })).toString('base64url'),
      id_token: `e30.${Buffer.from(JSON.stringify({ oid: `user${account}`, tid: 'tenant', preferred_username: `user${account}` })).toString('base64url')}.`,
    };
  }

  #provider(): TokenProvider {
    return {
      issuer: `https://${ENVIRONMENT}`,
      clientId: 'client',
      environments: [ENVIRONMENT],
      exchange: async (grant, slice, { scopes, clock }) => {
        this.calls += 1;
        const homeAccountId = 'homeAccountId' in grant ? grant.homeAccountId : '';
        const response = this.#answer(Number(homeAccountId.slice('user'.length).split('.')[0]));
        slice.add({
          response,
          environment: ENVIRONMENT,
          clientId: 'client',
          tenantId: 'tenant',
          homeAccountId,
          scopes,
          grantType: grant.grantType,
          now: clock.now(),
        });
      },
      classify: () => ({ kind: 'transient' }),
    };
  }
}

const SCOPES = ['https://graph.microsoft.com/User.Read'];
const keyOf = (account: number) => `user${account}`;
