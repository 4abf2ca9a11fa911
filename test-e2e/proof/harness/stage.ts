import { createHash } from 'node:crypto';
import { request } from 'node:https';
import { Account, type TokenBackend } from '@tokenry/core';
import { type DevAuthority, type DevAuthorityOptions, startDevAuthority } from '@tokenry/dev-authority';
import type { ProofBackend } from '../backends.ts';
import { CLIENT_ID, SCOPES } from '../children/tasks.ts';
import { startWorker, type Worker } from './worker.ts';

export { CLIENT_ID } from '../children/tasks.ts';

export const HOUR_MS = 3_600_000;

/** An authorization server, a store, and the processes that share them. */
export class Stage implements AsyncDisposable {
  readonly authority: DevAuthority;
  readonly proofBackend: ProofBackend;
  readonly location: string;
  readonly backend: TokenBackend;
  readonly workers: Worker[] = [];
  readonly #destroy: () => Promise<void>;
  #signer: Account | undefined;

  private constructor(parts: { authority: DevAuthority; backend: ProofBackend; location: string; destroy: () => Promise<void> }) {
    this.authority = parts.authority;
    this.proofBackend = parts.backend;
    this.location = parts.location;
    this.#destroy = parts.destroy;
    this.backend = parts.backend.open(parts.location);
  }

  static async open(backend: ProofBackend, options: DevAuthorityOptions = {}): Promise<Stage> {
    const [authority, { location, destroy }] = await Promise.all([
      startDevAuthority({ signingAlgorithm: 'ES256', ...options }),
      backend.prepare(),
    ]);
    authority.ref();
    return new Stage({ authority, backend, location, destroy });
  }

  /** Starts `count` processes with an account each. */
  async start(
    count: number,
    account: WorkerAccountOptions | ((index: number) => WorkerAccountOptions) = {},
  ): Promise<readonly Worker[]> {
    const started = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const worker = startWorker(this.proofBackend.processes);
        this.workers.push(worker);
        await worker.call('open', { ...this.openOptions, ...(typeof account === 'function' ? account(index) : account) });
        return worker;
      }),
    );
    return started;
  }

  get openOptions() {
    return { backend: this.proofBackend.name, location: this.location, authority: this.authority.accountOptions };
  }

  /** Signs `username` in and stores the tokens under `tokenKey`. */
  async signIn(username: string, tokenKey = this.backend.defaultTokenKey): Promise<string> {
    this.#signer ??= new Account([CLIENT_ID], {
      ...this.authority.accountOptions,
      tokenBackend: this.backend,
      authFlowType: 'password',
      username,
      password: 'password-TEST',
      scopes: SCOPES,
    });
    const { account: who } = await this.#signer.forKey(tokenKey, { username }).authenticate();
    return who.homeAccountId;
  }

  /** Moves the clocks of the authority and of all processes on together. */
  async advance(ms: number): Promise<void> {
    this.authority.advanceClock(ms);
    await this.all((worker) => worker.call('advance', { ms }));
  }

  all<T>(work: (worker: Worker, index: number) => Promise<T>): Promise<T[]> {
    return Promise.all(this.workers.map(work));
  }

  /** Events of all processes since the last time, by name. */
  async counts(): Promise<Record<string, number>> {
    const sum: Record<string, number> = {};
    for (const counts of await this.all((worker) => worker.call('counts', {})))
      for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count;
    return sum;
  }

  refreshCalls() {
    return this.authority.calls({ grantType: 'refresh_token', clientId: CLIENT_ID });
  }

  /** SHA-256 of the newest refresh token that the authority issued, by user name. */
  newestIssued(): Map<string, string> {
    const newest = new Map<string, string>();
    for (const { username, issuedRefreshTokenSha256 } of this.authority.calls({ clientId: CLIENT_ID }))
      if (username !== undefined && issuedRefreshTokenSha256 !== undefined) newest.set(username, issuedRefreshTokenSha256);
    return newest;
  }

  /** SHA-256 of the refresh token that the store holds for a user, read past every cache. */
  async stored(username: string, tokenKey = this.backend.defaultTokenKey): Promise<string | undefined> {
    const cache = await this.backend.loadToken({ tokenKey, fresh: true });
    const account = cache?.getAccount({ username });
    const token = account && cache?.getRefreshToken({ homeAccountId: account.homeAccountId, clientId: CLIENT_ID });
    return token && sha256(token.secret);
  }

  /** Whether the API takes this token. */
  accepts(token: string): Promise<boolean> {
    const { cloud, ca } = this.authority.accountOptions;
    return new Promise((resolve, reject) => {
      const call = request(
        `https://${cloud.graphHost}/v1.0/me`,
        { ca, headers: { authorization: `Bearer ${token}` }, agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode === 200);
        },
      );
      call.once('error', reject);
      call.end();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.end()));
    await this.#signer?.close();
    await this.backend.close();
    await this.authority.close();
    await this.#destroy();
  }
}

export interface WorkerAccountOptions {
  /** Another way to the same store. */
  readonly location?: string;
  readonly clockOffsetMs?: number;
  readonly lease?: { readonly ttlMs?: number; readonly renewEveryMs?: number; readonly waitMs?: number };
  readonly tokenKey?: string;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Polls until `probe` is true. @throws Error after `withinMs` */
export async function until(what: string, probe: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!(await probe())) {
    if (performance.now() > giveUpAt) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
