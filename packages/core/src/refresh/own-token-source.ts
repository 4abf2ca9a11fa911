import type { AccessTokenResult } from '../access-token.js';
import type { AccessTokenCallback } from '../application-credentials.js';
import type { Clock } from '../clock.js';
import { invalidArgument } from '../options.js';
import { RecentMap } from '../recent-map.js';
import { untilAborted } from '../until-aborted.js';
import type { GetTokenOptions } from './access-token-source.js';
import { hold } from './hold.js';
import type { RefreshWindows } from './policy.js';
import type { Question } from './question.js';
import { SingleFlight } from './single-flight.js';

/** As many as there are prepared questions. */
const MAX_RESULTS = 1_000;

/** Asks the program itself for tokens and keeps each in memory until its hard window: "bring your own token". */
export class OwnTokenSource {
  readonly #callback: AccessTokenCallback;
  readonly #clock: Clock;
  readonly #windows: RefreshWindows;
  readonly #flights = new SingleFlight();
  readonly #results = new RecentMap<string, AccessTokenResult>(MAX_RESULTS);

  constructor(callback: AccessTokenCallback, options: { readonly clock: Clock; readonly windows: RefreshWindows }) {
    this.#callback = callback;
    this.#clock = options.clock;
    this.#windows = options.windows;
  }

  locate(): undefined {
    return undefined;
  }

  peek(_tokenKey: string, question: Question): AccessTokenResult | undefined {
    const result = this.#results.get(question.id);
    return result && this.#lasts(result, this.#windows.hardWindowMs) ? result : undefined;
  }

  async holds(): Promise<boolean> {
    return true;
  }

  async get(_tokenKey: string, question: Question, options: GetTokenOptions = {}): Promise<AccessTokenResult> {
    const { forceRefresh, claims, refusedToken, minimumLifetimeMs = 0, signal } = options;
    const known = this.#results.get(question.id);
    const good =
      known && known.token !== refusedToken && this.#lasts(known, Math.max(minimumLifetimeMs, this.#windows.hardWindowMs));
    if (good && !forceRefresh && claims === undefined) return known;
    const isForced = forceRefresh === true || known !== undefined;
    // Only equal wishes share an answer: one that is on its way was asked for by somebody else.
    const key = [question.id, claims ?? '', isForced, minimumLifetimeMs].join('\u0000');
    const { result } = this.#flights.run(key, key, () => this.#ask(question, { ...options, forceRefresh: isForced }));
    return hold(untilAborted(result, signal));
  }

  async settled(): Promise<void> {
    await this.#flights.settled();
  }

  #lasts({ expiresAt }: AccessTokenResult, ms: number): boolean {
    return expiresAt - this.#clock.now() > ms;
  }

  async #ask(question: Question, { forceRefresh, claims, minimumLifetimeMs }: GetTokenOptions): Promise<AccessTokenResult> {
    const { scopes, tenantId } = question;
    const answer = await this.#callback({
      scopes,
      ...(tenantId === undefined ? {} : { tenantId }),
      ...(minimumLifetimeMs === undefined ? {} : { minimumLifetimeMs }),
      ...(forceRefresh ? { forceRefresh } : {}),
      ...(claims === undefined ? {} : { claims }),
    });
    if (typeof answer?.token !== 'string' || answer.token === '' || !Number.isFinite(answer.expiresAt))
      throw invalidArgument(
        'The accessToken callback must resolve to { token, expiresAt } with expiresAt in epoch milliseconds.',
      );
    const result = Object.freeze({ token: answer.token, expiresAt: answer.expiresAt, scopes });
    this.#results.set(question.id, result);
    return result;
  }
}
