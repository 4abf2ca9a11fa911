import type { AccessTokenResult } from './access-token.js';
import { type AccountOptions, leaseTimingOf, windowsOf } from './account-options.js';
import {
  type ApplicationCredentials,
  type AuthFlowType,
  checkedFlowType,
  flowTypeOf,
  type NormalisedCredentials,
  normaliseCredentials,
} from './application-credentials.js';
import { type RecordAccess, recordAccessOf } from './backend/record-access.js';
import { type Clock, systemClock } from './clock.js';
import { resolveCloud } from './entra/cloud.js';
import { EntraProvider } from './entra/entra-provider.js';
import type { Fetch } from './http/fetch.js';
import { RETRY_OPTIONS, retryingFetch } from './http/retry.js';
import { TRANSPORT_OPTIONS, Transport } from './http/transport.js';
import { invalidArgument } from './options.js';
import { MSGraphProtocol } from './protocol/graph.js';
import type { Protocol } from './protocol/protocol.js';
import { reservedScopes, type Scopes } from './protocol/scopes.js';
import type { ProviderContext, TokenProvider } from './provider/token-provider.js';
import { RecentMap } from './recent-map.js';
import { AccessTokenSource, type GetTokenOptions } from './refresh/access-token-source.js';
import { RefreshCoordinator } from './refresh/coordinator.js';
import { LegacyImport } from './refresh/legacy-import.js';
import { OwnTokenSource } from './refresh/own-token-source.js';
import type { Question } from './refresh/question.js';
import { ServerClock } from './refresh/server-clock.js';
import { stepChannel } from './refresh/step.js';
import type { SignInDependencies } from './sign-in/sign-in-dependencies.js';

/** Who a view of an account speaks for. */
export interface Selection {
  readonly homeAccountId?: string | undefined;
  readonly username?: string | undefined;
}

/** What all views of one account share: transport, assertions, record cache, refreshes in flight. */
export class AccountEngine {
  readonly options: Readonly<AccountOptions>;
  readonly credentials: NormalisedCredentials;
  readonly flow: AuthFlowType;
  readonly provider: TokenProvider;
  readonly protocol: Protocol;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  readonly records: RecordAccess;
  readonly source: AccessTokenSource | OwnTokenSource;
  readonly naiveFetch: Fetch;
  readonly #transport: Transport;
  readonly #coordinator: RefreshCoordinator | undefined;
  readonly #legacyImport: LegacyImport | undefined;
  readonly #calls = new Set<Promise<unknown>>();
  readonly #questions = new RecentMap<string, Question>(1_000);
  #anyAccount: Question | undefined;

  /** No I/O. `options` are checked already. */
  constructor(credentials: ApplicationCredentials, options: Readonly<AccountOptions>) {
    this.options = options;
    this.credentials = normaliseCredentials(credentials);
    this.flow = options.provider
      ? checkedFlowType(options.authFlowType ?? 'public')
      : flowTypeOf(this.credentials, options.authFlowType);
    const cloud = resolveCloud(options.cloud);
    this.protocol = options.protocol ?? new MSGraphProtocol({ host: cloud.graphHost });
    this.clock = options.clock ?? systemClock;
    this.serverClock = new ServerClock(this.clock);
    this.provider =
      options.provider ??
      new EntraProvider({
        credentials: this.credentials,
        flow: this.flow,
        tenantId: options.tenantId ?? 'common',
        cloud,
        ...(options.clientCapabilities ? { clientCapabilities: options.clientCapabilities } : {}),
      });
    this.#transport = new Transport(pick(options, TRANSPORT_OPTIONS));
    this.naiveFetch = retryingFetch(this.#transport.fetch, pick(options, RETRY_OPTIONS), this.clock);
    this.records = recordAccessOf(options.tokenBackend);
    const proof = this.credentials.proof();
    if (proof.kind === 'access-token') {
      this.source = new OwnTokenSource(proof.callback, { clock: this.clock, windows: windowsOf(options) });
    } else {
      this.#coordinator = this.#newCoordinator();
      this.source = this.#newSource(this.#coordinator);
      if (!this.isAppOnly) this.#legacyImport = this.#newLegacyImport(this.#coordinator);
    }
  }

  /** Tokens are the program's own: there is nobody to sign in. */
  get isAppOnly(): boolean {
    return this.flow === 'credentials';
  }

  get defaultTokenKey(): string {
    return this.options.tokenKey ?? this.options.tokenBackend.defaultTokenKey;
  }

  /** What to look for when nothing was said: the record's only account, the account's scopes. */
  get anyAccount(): Question {
    this.#anyAccount ??= this.question({});
    return this.#anyAccount;
  }

  /** What to look for, prepared once per combination. `appOnly: false` for a person's token of any application. */
  question(
    selection: Selection,
    wish: { readonly scopes?: Scopes | undefined; readonly tenantId?: string | undefined; readonly appOnly?: false } = {},
  ): Question {
    const { scopes = this.options.scopes, tenantId, appOnly = this.isAppOnly } = wish;
    // What is neither text nor a list is the protocol's to refuse.
    if (scopes !== undefined && typeof scopes !== 'string' && !Array.isArray(scopes)) this.protocol.getScopesFor(scopes);
    const words = wordsOf(scopes);
    const key = `${selection.homeAccountId ?? ''}\n${selection.username ?? ''}\n${tenantId ?? ''}\n${appOnly}\n${words}`;
    let question = this.#questions.get(key);
    if (!question) {
      const full = appOnly ? this.#applicationScopes(scopes) : this.#delegatedScopes(scopes);
      question = this.#newQuestion(selection, { appOnly, scopes: full, tenantId: tenantId ?? this.options.tenantId });
      this.#questions.set(key, question);
    }
    return question;
  }

  // Answers are remembered beside the record, which engines for other applications, tenants and APIs may share: what tells
  // them apart belongs into the id.
  #newQuestion(selection: Selection, wish: Pick<Question, 'appOnly' | 'scopes' | 'tenantId'>): Question {
    const { issuer, clientId } = this.provider;
    const who = [selection.homeAccountId ?? '', selection.username ?? '', String(wish.appOnly)];
    const id = [...who, issuer, clientId, wish.tenantId ?? '', wish.scopes.join(' ')].join('\n');
    return { id, ...selection, ...wish };
  }

  /** A token that memory did not have. A python-o365 2.0 file is taken over first. */
  token(tokenKey: string, question: Question, options: GetTokenOptions | undefined): Promise<AccessTokenResult> {
    const call = this.#token(tokenKey, question, options);
    this.#calls.add(call);
    const done = () => void this.#calls.delete(call);
    call.then(done, done);
    return call;
  }

  /** Full scopes of a sign-in, without the reserved ones, which are asked for anyway. */
  signInScopes(scopes: Scopes | undefined = this.options.scopes): readonly string[] {
    if (scopes === undefined)
      throw invalidArgument('scopes: say what to ask for, such as "basic" or ["Mail.Read"]. Nothing is asked for by default.');
    return withoutReserved(this.protocol.getScopesFor(scopes));
  }

  get signInDependencies(): SignInDependencies {
    const { flowKeys } = this.options;
    return {
      provider: this.provider,
      clock: this.clock,
      contextFor: (scopes, { claims, signal }) => this.context(scopes, { claims, signal }),
      ...(flowKeys === undefined ? {} : { flowKeys }),
    };
  }

  context(
    scopes: readonly string[],
    { claims, signal }: { readonly claims?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
  ): ProviderContext {
    return {
      scopes,
      fetch: this.#transport.tokenFetch,
      clock: this.clock,
      ...(claims === undefined ? {} : { claims }),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  /** Waits for calls and refreshes in flight and for tokens that are not saved yet, then closes the transport. */
  async close(): Promise<void> {
    // A call that still reads the record has no refresh in flight yet.
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls);
    await Promise.allSettled([this.source.settled(), this.#legacyImport?.settled()]);
    try {
      await this.#coordinator?.saved();
    } finally {
      await this.#transport.close();
    }
  }

  // No scopes: any token of the account for this protocol's resource will do.
  #delegatedScopes(scopes: Scopes | undefined): readonly string[] {
    const wanted = scopes === undefined ? [] : withoutReserved(this.protocol.getScopesFor(scopes));
    return wanted.length > 0 ? wanted : [this.protocol.prefixScope('.default')];
  }

  #applicationScopes(scopes: Scopes | undefined): readonly string[] {
    const wanted = scopes === undefined ? [] : withoutReserved(this.protocol.getScopesFor(scopes));
    const foreign = wanted.find((scope) => !scope.endsWith('/.default'));
    // A token that the program brings may be a person's: which scopes it has is for its source to say.
    const knowsKind = !this.options.provider && this.credentials.kind !== 'access-token';
    if (foreign !== undefined && knowsKind)
      throw invalidArgument(
        `An application's own token has all permissions that an administrator granted: ask for "${this.protocol.prefixScope('.default')}", not for "${foreign}".`,
      );
    return wanted.length > 0 ? wanted : [this.protocol.prefixScope('.default')];
  }

  #newCoordinator(): RefreshCoordinator {
    const { tokenBackend, coolDownMs = 30_000, refreshWithoutLease = false, lease } = this.options;
    return new RefreshCoordinator({
      provider: this.provider,
      records: this.records,
      leases: tokenBackend.leases,
      shouldRefresh: (request) => tokenBackend.shouldRefreshToken(request),
      fetch: this.#transport.tokenFetch,
      clock: this.clock,
      serverClock: this.serverClock,
      windows: windowsOf(this.options),
      timing: leaseTimingOf(lease),
      coolDownMs,
      refreshWithoutLease,
      onStep: (step, { leaseName, tokenKey }) => {
        if (stepChannel.hasSubscribers) stepChannel.publish({ step, leaseName, tokenKey });
      },
    });
  }

  async #token(tokenKey: string, question: Question, options: GetTokenOptions | undefined): Promise<AccessTokenResult> {
    if (question.assertion === undefined) await this.#legacyImport?.run(tokenKey, question.scopes, { signal: options?.signal });
    return this.source.get(tokenKey, question, options);
  }

  #newLegacyImport({ unsaved }: RefreshCoordinator): LegacyImport {
    const { tokenBackend, lease } = this.options;
    return new LegacyImport({
      provider: this.provider,
      backendId: tokenBackend.id,
      records: this.records,
      leases: tokenBackend.leases,
      timing: leaseTimingOf(lease),
      fetch: this.#transport.tokenFetch,
      clock: this.clock,
      unsaved,
    });
  }

  #newSource(coordinator: RefreshCoordinator): AccessTokenSource {
    const { tokenBackend, backgroundRefresh = true } = this.options;
    return new AccessTokenSource({
      records: this.records,
      coordinator,
      serverClock: this.serverClock,
      monotonic: () => this.clock.monotonic(),
      windows: windowsOf(this.options),
      backgroundRefresh,
      place: (tokenKey) => ({
        backendId: tokenBackend.id,
        tokenKey,
        authority: this.provider.issuer,
        clientId: this.provider.clientId,
        environments: this.provider.environments,
      }),
    });
  }
}

function wordsOf(scopes: Scopes | undefined): string {
  return typeof scopes === 'string' ? scopes : (scopes?.join(' ') ?? '');
}

function withoutReserved(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => !reservedScopes.includes(scope.toLowerCase()));
}

function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name]])) as Pick<T, K>;
}
