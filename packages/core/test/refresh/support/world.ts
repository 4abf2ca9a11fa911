import { InProcessLeases } from '../../../src/backend/in-process-leases.js';
import { defaultLeaseTiming } from '../../../src/backend/lease.js';
import { recordAccessOf } from '../../../src/backend/record-access.js';
import type { LeaseProvider, LeaseRequest, RefreshRequest } from '../../../src/backend/token-backend.js';
import { BackendUnavailableError } from '../../../src/errors.js';
import { channels, type LeaseEvent, type RefreshEvent } from '../../../src/observability/events.js';
import { AccessTokenSource, type GetTokenOptions } from '../../../src/refresh/access-token-source.js';
import { RefreshCoordinator, type RefreshDependencies } from '../../../src/refresh/coordinator.js';
import { defaultWindows } from '../../../src/refresh/policy.js';
import type { Question } from '../../../src/refresh/question.js';
import { ServerClock } from '../../../src/refresh/server-clock.js';
import type { RefreshStep } from '../../../src/refresh/step.js';
import type { TokenCache } from '../../../src/tokens/token-cache.js';
import { AsyncStore } from '../../backend/support/async-store.js';
import { StoreBackend } from '../../backend/support/store-backend.js';
import { TestClock } from '../../backend/support/test-clock.js';
import { CLIENT, ENVIRONMENT, homeOf, refreshTokenOf } from '../../backend/support/tokens.js';
import { GRAPH_READ, TestServer } from './test-server.js';

export const KEY = 'record';
export const HOUR_MS = 3_600_000;

/** Leases in process whose store can be down, and which can be stolen. */
export class TestLeases implements LeaseProvider {
  readonly counts = { tryAcquire: 0, renew: 0, release: 0 };
  readonly holders = new Map<string, string>();
  down = false;
  readonly #inner: InProcessLeases;

  constructor(clock: TestClock) {
    this.#inner = new InProcessLeases({ clock });
  }
  async tryAcquire(name: string, request: LeaseRequest) {
    this.counts.tryAcquire += 1;
    this.#assertUp();
    const answer = await this.#inner.tryAcquire(name, request);
    if (answer.acquired) this.holders.set(name, request.owner);
    return answer;
  }
  async renew(name: string, request: LeaseRequest) {
    this.counts.renew += 1;
    this.#assertUp();
    return this.#inner.renew(name, request);
  }
  async release(name: string, request: LeaseRequest) {
    this.counts.release += 1;
    this.#assertUp();
    if (this.holders.get(name) === request.owner) this.holders.delete(name);
    return this.#inner.release(name, request);
  }
  /** Gives every lease to a stranger, as a takeover after a long pause would. */
  async steal(name: string): Promise<void> {
    const owner = this.holders.get(name);
    if (owner !== undefined) await this.#inner.release(name, { owner, ttlMs: 1 });
    await this.#inner.tryAcquire(name, { owner: 'stranger', ttlMs: 60_000 });
    this.holders.set(name, 'stranger');
  }
  async giveBack(name: string): Promise<void> {
    if (this.holders.get(name) === 'stranger') this.holders.delete(name);
    await this.#inner.release(name, { owner: 'stranger', ttlMs: 1 });
  }
  #assertUp(): void {
    if (this.down) throw new BackendUnavailableError('The lease store is down.');
  }
}

export interface WorldOptions extends Partial<RefreshDependencies> {
  readonly appOnly?: boolean;
  readonly backgroundRefresh?: boolean;
}

/** A coordinator and everything around it, in memory, on a clock that moves when told. */
export class World {
  readonly clock = new TestClock();
  readonly store = new AsyncStore();
  readonly server = new TestServer();
  readonly leases = new TestLeases(this.clock);
  readonly backend = new StoreBackend({ store: this.store, clock: this.clock, leases: this.leases });
  readonly steps: RefreshStep[] = [];
  readonly serverClock = new ServerClock(this.clock);
  readonly coordinator: RefreshCoordinator;
  readonly source: AccessTokenSource;
  readonly appOnly: boolean;
  /** Runs at each step before the refresh goes on. */
  atStep: ((step: RefreshStep, leaseName: string) => void | Promise<void>) | undefined;
  shouldRefresh: (request: RefreshRequest) => Promise<boolean | null> = async () => true;

  constructor({ appOnly = false, backgroundRefresh = true, ...more }: WorldOptions = {}) {
    this.appOnly = appOnly;
    const records = recordAccessOf(this.backend);
    this.coordinator = new RefreshCoordinator({
      provider: this.server,
      records,
      leases: this.leases,
      shouldRefresh: (request) => this.shouldRefresh(request),
      fetch: () => Promise.reject(new Error('no network in this test')),
      clock: this.clock,
      serverClock: this.serverClock,
      windows: defaultWindows,
      timing: defaultLeaseTiming,
      coolDownMs: 30_000,
      refreshWithoutLease: false,
      onStep: async (step, { leaseName }) => {
        this.steps.push(step);
        await this.atStep?.(step, leaseName);
      },
      ...more,
    });
    this.source = new AccessTokenSource({
      records,
      coordinator: this.coordinator,
      serverClock: this.serverClock,
      monotonic: () => this.clock.monotonic(),
      windows: more.windows ?? defaultWindows,
      backgroundRefresh,
      place: (tokenKey) => ({
        backendId: this.backend.id,
        tokenKey,
        authority: this.server.issuer,
        clientId: CLIENT,
        environments: [ENVIRONMENT],
      }),
    });
  }

  /** A world in which `names` signed in a whole token lifetime ago. */
  static async expired(names: readonly string[] = ['ada'], options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    for (const name of names) await world.signIn(name);
    await world.clock.advance(2 * HOUR_MS);
    return world;
  }

  question(more: Partial<Question> = {}): Question {
    const scopes = more.scopes ?? [GRAPH_READ];
    return {
      appOnly: this.appOnly,
      ...more,
      scopes,
      id: JSON.stringify([scopes, more.homeAccountId, more.tenantId, more.assertion]),
    };
  }

  get(options: GetTokenOptions & { readonly question?: Partial<Question>; readonly tokenKey?: string } = {}) {
    const { question, tokenKey = KEY, ...rest } = options;
    return this.source.get(tokenKey, this.question(question), rest);
  }

  /** What another process does: it shares the store, not the memory. */
  async elsewhere(change: (cache: TokenCache) => void): Promise<void> {
    const other = new StoreBackend({ store: this.store, clock: this.clock, leases: this.leases });
    await other.updateToken(change, { tokenKey: KEY });
  }

  /** `name` signs in, in another process. */
  async signIn(name: string): Promise<void> {
    const response = { ...this.server.issue(name), scope: GRAPH_READ };
    await this.elsewhere((cache) => {
      const slice = cache.slice({
        clientId: CLIENT,
        environment: ENVIRONMENT,
        tenantId: 'tenant-1',
        now: () => this.clock.now(),
      });
      slice.add({ response, scopes: [GRAPH_READ], now: this.clock.now() });
      cache.applySignIn(slice);
    });
  }

  async signOut(name: string): Promise<void> {
    await this.elsewhere((cache) => void cache.removeAccount({ homeAccountId: homeOf(name) }));
  }

  /** Another process spends the stored refresh token, as one does that holds no lease, and saves what it got. */
  async refreshElsewhere(name: string): Promise<void> {
    const response = { ...this.server.issue(name), scope: GRAPH_READ };
    await this.elsewhere((cache) => {
      const spent = refreshTokenOf(cache, name) ?? '';
      const slice = cache.slice({
        homeAccountId: homeOf(name),
        clientId: CLIENT,
        environment: ENVIRONMENT,
        tenantId: 'tenant-1',
        now: () => this.clock.now(),
      });
      slice.add({ response, scopes: [GRAPH_READ], now: this.clock.now(), grantType: 'refresh_token' });
      cache.applyRefresh(slice, { spent });
    });
  }

  /** What the store holds, read by somebody else. */
  async stored(): Promise<TokenCache | undefined> {
    return new StoreBackend({ store: this.store, clock: this.clock }).loadToken({ tokenKey: KEY });
  }

  async storedRefreshToken(name = 'ada'): Promise<string | undefined> {
    return refreshTokenOf(await this.stored(), name);
  }

  /** Every read and write fails until the returned function is called. */
  breakStore(): () => void {
    const { read, write } = this.store;
    const fail = async () => {
      throw new BackendUnavailableError('The store is down.');
    };
    this.store.read = fail;
    this.store.write = fail;
    return () => {
      this.store.read = read;
      this.store.write = write;
    };
  }

  get callsSent(): number {
    return this.server.calls.length;
  }
}

/** Collects the events of one channel while `work` runs. */
export async function eventsDuring<Name extends 'refresh' | 'lease'>(
  name: Name,
  work: () => Promise<unknown>,
): Promise<readonly (Name extends 'refresh' ? RefreshEvent : LeaseEvent)[]> {
  const seen: unknown[] = [];
  const listen = (event: unknown) => void seen.push(event);
  channels[name].subscribe(listen);
  try {
    await work();
  } finally {
    channels[name].unsubscribe(listen);
  }
  return seen as (Name extends 'refresh' ? RefreshEvent : LeaseEvent)[];
}

/** The code that `work` rejects with, or the token it resolves to. */
export async function outcomeOf(work: Promise<{ readonly token: string }>): Promise<string> {
  return work.then(
    ({ token }) => token,
    (error: { readonly code?: string }) => error.code ?? String(error),
  );
}
