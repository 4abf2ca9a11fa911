import { subscribe } from 'node:diagnostics_channel';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Account, type AccountOptions, type TokenBackend } from '@tokenry/core';
import { backendNamed } from '../backends.ts';
import { eventCounts } from './event-counts.ts';

export const CLIENT_ID = 'tokenry-proof';
export const SCOPES = ['User.Read'];

export interface OpenOptions {
  readonly backend: string;
  readonly location: string;
  readonly authority: Pick<AccountOptions, 'cloud' | 'ca' | 'tenantId'>;
  readonly clockOffsetMs?: number;
  readonly lease?: AccountOptions['lease'];
  readonly tokenKey?: string;
}

export interface Ask {
  readonly tokenKey?: string;
  readonly username?: string;
  readonly scopes?: readonly string[];
  readonly forceRefresh?: boolean;
}

export interface StepOrder {
  readonly channel: 'tokenry:refresh-step' | 'tokenry:save-step';
  readonly step: string;
  readonly action: 'SIGKILL' | 'SIGSTOP' | 'lock-folder' | 'fill-folder';
  /** After the step: for what has no step of its own, as a call on its way. */
  readonly delayMs?: number;
}

/** What a process of the proofs can do. All arguments and results are JSON. */
export function createTasks() {
  let offsetMs = 0;
  let location = '';
  let stopped = false;
  let authorityOptions: OpenOptions['authority'] | undefined;
  let backend: TokenBackend | undefined;
  let account: Account | undefined;
  const views = new Map<string, Account>();
  const stalls = monitorEventLoopDelay();

  const opened = (): Account => {
    if (!account) throw new Error('open first');
    return account;
  };
  const viewFor = ({ tokenKey, username }: Ask): Account => {
    if (tokenKey === undefined && username === undefined) return opened();
    const id = `${tokenKey} ${username}`;
    let view = views.get(id);
    if (!view) {
      const key = tokenKey ?? backend?.defaultTokenKey ?? '';
      view = opened().forKey(key, username === undefined ? {} : { username });
      views.set(id, view);
    }
    return view;
  };
  const ask = ({ scopes = SCOPES, forceRefresh = false, ...who }: Ask) => viewFor(who).getAccessToken({ scopes, forceRefresh });

  return {
    async open({ authority, lease, ...options }: OpenOptions): Promise<void> {
      stalls.enable();
      offsetMs = options.clockOffsetMs ?? 0;
      location = options.location;
      authorityOptions = authority;
      backend = backendNamed(options.backend).open(location);
      account = new Account([CLIENT_ID], {
        ...authority,
        tokenBackend: backend,
        scopes: SCOPES,
        ...(options.tokenKey === undefined ? {} : { tokenKey: options.tokenKey }),
        ...(lease === undefined ? {} : { lease }),
        clock: { now: () => Date.now() + offsetMs, monotonic: () => performance.now() },
      });
    },

    async advance({ ms }: { readonly ms: number }): Promise<void> {
      offsetMs += ms;
    },

    /** Asks for all at once. */
    async storm({ asks }: { readonly asks: readonly Ask[] }) {
      const startedAt = performance.now();
      const settled = await Promise.allSettled(asks.map(ask));
      const tokens = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value.token] : []));
      const errors = settled.flatMap((one) => (one.status === 'rejected' ? [codeOf(one.reason)] : []));
      return { got: tokens.length, tokens: [...new Set(tokens)], errors, tookMs: performance.now() - startedAt };
    },

    /** Asks for all, `inFlight` at a time. */
    async work({ asks, inFlight }: { readonly asks: readonly Ask[]; readonly inFlight: number }) {
      const startedAt = performance.now();
      const cpuBefore = process.cpuUsage();
      const errors: string[] = [];
      const waiting = [...asks];
      const lane = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift())
          await ask(next).catch((error: unknown) => errors.push(codeOf(error)));
      };
      await Promise.all(Array.from({ length: inFlight }, lane));
      const { user, system } = process.cpuUsage(cpuBefore);
      return { errors, tookMs: performance.now() - startedAt, cpuMs: (user + system) / 1000 };
    },

    async token(order: Ask): Promise<string> {
      return (await ask(order)).token;
    },

    /** Starts asking, and answers before the token is there: the process is about to be stopped. */
    async begin(order: Ask): Promise<void> {
      ask(order).catch(() => {});
    },

    /** Signs one user in and out again, over and over, looking after each whether it is as it left it. */
    async comeAndGo({ username, rounds }: { readonly username: string; readonly rounds: number }) {
      const store = backend;
      if (!store) throw new Error('open first');
      const person = new Account([CLIENT_ID], {
        ...authorityOptions,
        tokenBackend: store,
        authFlowType: 'password',
        username,
        password: 'password-TEST',
        scopes: SCOPES,
      });
      const found = { rounds: 0, resurrected: 0, eaten: 0 };
      const isThere = async () => {
        const cache = await store.loadToken({ fresh: true });
        const who = cache?.getAccount({ username });
        return who !== undefined && cache?.getRefreshToken({ homeAccountId: who.homeAccountId }) !== undefined;
      };
      for (let round = 0; round < rounds; round += 2) {
        await person.forKey(store.defaultTokenKey, { username }).authenticate();
        if (!(await isThere())) found.eaten += 1;
        await person.forKey(store.defaultTokenKey, { username }).signOut();
        if (await isThere()) found.resurrected += 1;
        // A refresh that was on its way at the sign-out may end now.
        await new Promise((resolve) => setTimeout(resolve, round % 20 === 0 ? 20 : 0));
        if (await isThere()) found.resurrected += 1;
        found.rounds += 2;
      }
      await person.close();
      return found;
    },

    /** Refreshes these users one after the other until told to stop. */
    async keepRefreshing({ usernames }: { readonly usernames: readonly string[] }) {
      stopped = false;
      let refreshed = 0;
      const errors: Record<string, number> = {};
      while (!stopped)
        for (const username of usernames)
          await ask({ username, forceRefresh: true }).then(
            () => {
              refreshed += 1;
            },
            (error: unknown) => {
              const key = `${username} ${codeOf(error)}`;
              errors[key] = (errors[key] ?? 0) + 1;
            },
          );
      return { refreshed, errors };
    },

    async stop(_none: object): Promise<void> {
      stopped = true;
    },

    /** Does something to this process, or to its store, the next time it reaches a step. */
    async atStep({ channel, step, action, delayMs }: StepOrder): Promise<void> {
      let done = false;
      subscribe(channel, (message) => {
        if (done || (message as { readonly step: string }).step !== step) return;
        done = true;
        if (delayMs === undefined) act(action, location);
        else setTimeout(() => act(action, location), delayMs);
      });
    },

    /** Kills this process after a time. */
    async killAfter({ ms }: { readonly ms: number }): Promise<void> {
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), ms);
    },

    /** Gives the store back what a step took from it. */
    async mendFolder(_none: object): Promise<void> {
      chmodSync(location, 0o700);
      rmSync(join(location, FILLER), { force: true });
    },

    /** Milliseconds between the answer of the server and the durable save, refresh by refresh. */
    async window({ asks }: { readonly asks: readonly Ask[] }): Promise<readonly number[]> {
      const widths: number[] = [];
      let answeredAt = 0;
      subscribe('tokenry:refresh-step', (message) => {
        const { step } = message as { readonly step: string };
        if (step === 'answered') answeredAt = performance.now();
        if (step === 'saved') widths.push(performance.now() - answeredAt);
      });
      for (const one of asks) await ask({ ...one, forceRefresh: true });
      return widths;
    },

    async counts(_none: object): Promise<Record<string, number>> {
      return eventCounts.take();
    },

    /** For how long this process stood still at most, as it was not given the processor or did something else. */
    async longestStallMs(_none: object): Promise<number> {
      return stalls.max / 1e6;
    },

    async close(_none: object): Promise<void> {
      stalls.disable();
      const closing = account;
      account = undefined;
      views.clear();
      await closing?.close();
    },
  };
}

export type Tasks = ReturnType<typeof createTasks>;
export type TaskName = keyof Tasks;
export type TaskArguments<Name extends TaskName> = Parameters<Tasks[Name]>[0];
export type TaskResult<Name extends TaskName> = Awaited<ReturnType<Tasks[Name]>>;

const FILLER = 'filler';

function act(action: StepOrder['action'], folder: string): void {
  if (action === 'lock-folder') chmodSync(folder, 0o500);
  else if (action === 'fill-folder') fill(join(folder, FILLER));
  else process.kill(process.pid, action);
}

/** Writes until the disk is full. */
function fill(path: string): void {
  for (const size of [65_536, 4_096, 256, 1])
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
}

function codeOf(error: unknown): string {
  return (error as { readonly code?: string }).code ?? String(error);
}
