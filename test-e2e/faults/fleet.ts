import { type AccessTokenResult, Account, type AccountOptions, type BaseTokenBackend, TokenryError } from '@tokenry/core';
import { CLIENT_ID, type Stage, until } from '../proof/harness/stage.js';

/** So many callers ask at once in each program. */
const CALLERS = 5;
/** Short, because a lease that died with its connection has to be waited for. */
const LEASE = { ttlMs: 10_000, renewEveryMs: 3_000, waitMs: 40_000 };
/** What a caller may meet while the store cannot be reached; anything else is strange. */
const EXPECTED = /^TOKENRY_(BACKEND_UNAVAILABLE|REFRESH_FAILED|LEASE_TIMEOUT|TIMEOUT)$/;

export type Answer = PromiseSettledResult<AccessTokenResult>;

/** Programs on different connections to one store, with a clock that can be moved on. */
export class Fleet {
  readonly #stage: Stage;
  readonly #accounts: readonly Account[];
  #offsetMs = 0;

  constructor(stage: Stage, backends: readonly BaseTokenBackend[], { lease = LEASE }: Pick<AccountOptions, 'lease'> = {}) {
    this.#stage = stage;
    const clock = { now: () => Date.now() + this.#offsetMs, monotonic: () => performance.now() };
    const options = { ...stage.authority.accountOptions, scopes: ['User.Read'], clock, lease };
    this.#accounts = backends.map((tokenBackend) => new Account([CLIENT_ID], { ...options, tokenBackend }));
  }

  advance(ms: number): void {
    this.#offsetMs += ms;
    this.#stage.authority.advanceClock(ms);
  }

  /** All callers of all programs at once, or of one of them. */
  ask(tokenKey: string, program?: number): Promise<Answer[]> {
    const asked = this.#accounts.filter((_, index) => program === undefined || index === program);
    const callers = asked.flatMap((account) => Array.from({ length: CALLERS }, () => account.forKey(tokenKey)));
    return Promise.allSettled(callers.map((caller) => caller.getAccessToken()));
  }

  /** Asks again as long as somebody is refused, as callers do. */
  async askUntilServed(tokenKey: string) {
    const strange: string[] = [];
    const tokens = new Set<string>();
    await until(`everybody has a token of ${tokenKey}`, async () => {
      const answers = await this.ask(tokenKey);
      for (const token of tokensIn(answers)) tokens.add(token);
      strange.push(...strangeIn(answers));
      return answers.every(({ status }) => status === 'fulfilled') || strange.length > 0;
    });
    return { strange, tokens: tokens.size };
  }

  async close(): Promise<void> {
    await Promise.all(this.#accounts.map((account) => account.close()));
  }
}

/** One for each caller that was served. */
export const tokensIn = (answers: readonly Answer[]): string[] =>
  answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.token] : []));

/** The errors that nobody should meet because a store is away. */
export const strangeIn = (answers: readonly Answer[]): string[] =>
  answers.flatMap((answer) => {
    if (answer.status === 'fulfilled') return [];
    return TokenryError.is(answer.reason) && EXPECTED.test(answer.reason.code) ? [] : [String(answer.reason)];
  });
