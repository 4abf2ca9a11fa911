import { type AccessTokenOptions, type AccessTokenResult, checkAccessTokenOptions, isPlain } from './access-token.js';
import {
  type AccountGraphAuthProvider,
  type AccountTokenCredential,
  graphAuthProvider,
  tokenCredential,
} from './account-adapters.js';
import { AccountEngine, type Selection } from './account-engine.js';
import { checkAccountName } from './account-option-values.js';
import { type AccountOptions, checkAccountOptions } from './account-options.js';
import { AccountRequests } from './account-requests.js';
import type { ApplicationCredentials } from './application-credentials.js';
import type { CachedRecord } from './backend/record-cache.js';
import { checkTokenKey } from './backend/token-key.js';
import type { Connection } from './connection.js';
import { defined } from './defined.js';
import { CapabilityError, SignInRequiredError } from './errors.js';
import type { TokenForRequestOptions } from './http/authorized-fetch.js';
import { invalidArgument, strictOptions } from './options.js';
import type { Protocol } from './protocol/protocol.js';
import { userAssertionHash } from './provider/assertion-hash.js';
import type { DeviceFlow } from './provider/token-provider.js';
import { hold } from './refresh/hold.js';
import type { Question } from './refresh/question.js';
import type { ConsentHandler } from './sign-in/consent.js';
import type { SignInFlow } from './sign-in/sign-in-flow.js';
import { SIGN_IN_OPTIONS, SignIn, type SignInOptions, type SignInResult } from './sign-in.js';
import { SignedInAccounts } from './signed-in-accounts.js';
import type { AccountInfo } from './tokens/schema.js';

/**
 * An account of a program that talks to Microsoft 365: signs in, keeps tokens in a backend, hands out valid access
 * tokens, and makes requests with them.
 *
 * @example
 * ```ts
 * const account = new Account(['client-id'], { tokenBackend: new FileSystemTokenBackend(), scopes: ['basic', 'message_all'] });
 * if (!(await account.isAuthenticated())) await account.authenticate({ handleConsent: loopbackConsent() });
 * const me = await account.connection.get('/me');
 * ```
 */
export class Account {
  readonly #engine: AccountEngine;
  readonly #tokenKey: string;
  #selection: Selection;
  #question: Question | undefined;
  /** Where this view's record lies in memory. */
  #place: CachedRecord | undefined;
  #requests: AccountRequests | undefined;

  /**
   * No I/O.
   * @throws TypeError or RangeError for credentials or options that cannot work, naming the nearest valid name.
   */
  constructor(credentials: ApplicationCredentials, options: AccountOptions);
  /** @internal A view of an engine. */
  constructor(engine: AccountEngine, view: Selection & { readonly tokenKey: string });
  constructor(
    first: ApplicationCredentials | AccountEngine,
    second: AccountOptions | (Selection & { readonly tokenKey: string }),
  ) {
    if (first instanceof AccountEngine) {
      const { tokenKey, ...selection } = second as Selection & { readonly tokenKey: string };
      this.#engine = first;
      this.#tokenKey = tokenKey;
      this.#selection = selection;
    } else {
      const options = checkAccountOptions(second as AccountOptions);
      this.#engine = new AccountEngine(first, options);
      this.#tokenKey = checkTokenKey(this.#engine.defaultTokenKey);
      this.#selection = { homeAccountId: options.homeAccountId, username: options.username };
    }
  }

  /**
   * A view for another record or user of the same application. Costs a microsecond: it shares transport, assertions,
   * record cache and refreshes in flight.
   */
  forKey(tokenKey: string, options?: { readonly homeAccountId?: string; readonly username?: string }): Account {
    const { homeAccountId, username } =
      options === undefined ? NOBODY : strictOptions('forKey', options, ['homeAccountId', 'username']);
    checkAccountName('homeAccountId', homeAccountId);
    checkAccountName('username', username);
    return new Account(this.#engine, { tokenKey: checkTokenKey(tokenKey), homeAccountId, username });
  }

  /** Makes requests with this account's tokens. */
  get connection(): Connection {
    return this.#ownRequests.connection;
  }

  /** The same as `connection`, as python-o365 calls it. */
  get con(): Connection {
    return this.connection;
  }

  get protocol(): Protocol {
    return this.#engine.protocol;
  }

  /** The user name that selects an account of the record; after a sign-in, that account's. Setting it switches accounts. */
  get username(): string | undefined {
    return this.#selection.username ?? this.#accounts.usernameInMemory(this.#selection);
  }
  set username(username: string | undefined) {
    checkAccountName('username', username);
    // The account that signed in under this name stays chosen by its id, which says more.
    const chosen = this.#selection.homeAccountId !== undefined && username !== undefined;
    if (chosen && username.toLowerCase() === this.username?.toLowerCase()) return;
    this.#select({ username });
  }

  /**
   * Whether tokens can be had without signing in, by what is stored: a refresh token, or an access token that has not
   * expired. Ask the server with {@link verify}.
   * @throws backend errors: an outage is not an answer.
   */
  isAuthenticated(): Promise<boolean> {
    return this.#accounts.isAuthenticated(this.#selection);
  }

  /**
   * Signs in and stores the tokens; the account that signed in is selected. Application accounts need no sign-in: they
   * obtain a token.
   * @throws AuthorizationDeniedError and other sign-in errors; a refusal always throws.
   */
  async authenticate(
    options: SignInOptions & { readonly handleConsent?: ConsentHandler; readonly storeToken?: boolean } = {},
  ): Promise<SignInResult> {
    const { handleConsent, storeToken, ...request } = strictOptions('authenticate', options, [
      ...SIGN_IN_OPTIONS,
      'handleConsent',
      'storeToken',
    ]);
    if (handleConsent !== undefined && typeof handleConsent !== 'function')
      throw invalidArgument('authenticate: handleConsent must be a function, such as loopbackConsent() returns.');
    if (this.#engine.isAppOnly) return this.#authenticateApplication(request);
    const username = this.#selection.username ?? this.#engine.options.username;
    const signedIn = await hold(this.#signIn.interactive(request, { handleConsent, username }));
    return this.#finish(signedIn, { storeToken });
  }

  /** Where to send a person's browser, and the flow to finish with in `requestToken`: the two-step sign-in of web servers. */
  async getAuthorizationUrl(options: SignInOptions = {}): Promise<{ readonly url: string; readonly flow: SignInFlow }> {
    return this.#signIn.start(strictOptions('getAuthorizationUrl', options, SIGN_IN_OPTIONS));
  }

  /** Finishes a two-step sign-in with the URL the browser was redirected to, and stores the tokens under `tokenKey`. */
  async requestToken(
    redirectedUrl: string | URL,
    options: {
      readonly flow: SignInFlow;
      readonly tokenKey?: string | ((result: Omit<SignInResult, 'tokenKey'>) => string);
      readonly storeToken?: boolean;
      readonly signal?: AbortSignal;
    },
  ): Promise<SignInResult> {
    const { flow, tokenKey, storeToken, signal } = strictOptions('requestToken', options, [
      'flow',
      'tokenKey',
      'storeToken',
      'signal',
    ]);
    // Before the code is spent, which is good for one time.
    if (tokenKey !== undefined && typeof tokenKey !== 'function') checkTokenKey(tokenKey);
    return this.#finish(await hold(this.#signIn.finish(redirectedUrl, flow, { signal })), { tokenKey, storeToken, signal });
  }

  /** Starts a device-code sign-in: show `message` to the person, then call `acquireTokenByDeviceFlow`, in any process. */
  async initiateDeviceFlow(options: SignInOptions = {}): Promise<DeviceFlow> {
    return this.#signIn.startDevice(strictOptions('initiateDeviceFlow', options, SIGN_IN_OPTIONS));
  }

  /** Waits until the person has entered the device code, and stores the tokens. */
  async acquireTokenByDeviceFlow(flow: DeviceFlow, options: { readonly signal?: AbortSignal } = {}): Promise<SignInResult> {
    const checked = strictOptions('acquireTokenByDeviceFlow', options, ['signal']);
    return this.#finish(await hold(this.#signIn.finishDevice(flow, checked)), checked);
  }

  /** A token for the person that an incoming access token (`assertion`) speaks for: on-behalf-of, for web APIs. */
  async acquireTokenOnBehalfOf(assertion: string, options: AccessTokenOptions = {}): Promise<AccessTokenResult> {
    checkAccessTokenOptions(options);
    if (typeof assertion !== 'string' || assertion === '') throw invalidArgument('assertion must be the incoming access token.');
    const { scopes, tenantId, ...rest } = options;
    const question = this.#engine.question({}, { scopes, tenantId, appOnly: false });
    const own = { ...question, id: `${question.id}\n${userAssertionHash(assertion)}`, assertion };
    return this.#engine.token(this.#tokenKey, own, rest);
  }

  /**
   * A valid access token: from memory, or by one refresh among all processes that share the record.
   * @throws SignInRequiredError when only a person can help; RefreshFailedError, RefreshThrottledError, LeaseTimeoutError or
   * a backend error when trying again can; AmbiguousAccountError when the record holds several accounts and none is chosen.
   */
  async getAccessToken(options?: AccessTokenOptions): Promise<AccessTokenResult> {
    const { source } = this.#engine;
    if (options !== undefined) checkAccessTokenOptions(options);
    const question = this.#questionFor(options);
    if (options === undefined || isPlain(options)) {
      this.#place ??= source.locate(this.#tokenKey);
      const hit = source.peek(this.#tokenKey, question, this.#place);
      if (hit !== undefined) return hit;
      this.#place = undefined;
    }
    return this.#engine.token(this.#tokenKey, question, options);
  }

  /** `Bearer …`, for clients that take a header. */
  async getAuthorizationHeader(options?: AccessTokenOptions): Promise<string> {
    return `Bearer ${(await this.getAccessToken(options)).token}`;
  }

  /** The accounts of this application that are signed in under the token key. */
  async getAccounts(options: { readonly username?: string } = {}): Promise<readonly AccountInfo[]> {
    return this.#accounts.list(strictOptions('getAccounts', options, ['username']));
  }

  /** User names of the accounts that can have tokens without signing in. */
  getAuthenticatedUsernames(): Promise<readonly string[]> {
    return this.#accounts.authenticatedUsernames();
  }

  /**
   * The signed-in person, as the API describes them; with a token that you brought, whoever it speaks for.
   * @throws CapabilityError for an application's own account.
   */
  async getCurrentUser(): Promise<Record<string, unknown>> {
    if (this.#engine.isAppOnly && this.#engine.credentials.kind !== 'access-token')
      throw new CapabilityError('An application account speaks for no user: there is no current user.');
    const response = await this.connection.get(this.protocol.resourceUrl('', 'me'));
    return (await response.json()) as Record<string, unknown>;
  }

  /** URL of `path` below a resource (`me`, `user:…`, an address, `group:…`, `site:…`). @default resource: `mainResource` */
  resourceUrl(path: string, resource = this.#engine.options.mainResource): string {
    return resource === undefined && this.#engine.isAppOnly
      ? this.protocol.resourceUrl(path, '')
      : this.protocol.resourceUrl(path, resource);
  }

  /** Spends the refresh token now, so that an idle account does not reach its inactivity limit. */
  async keepAlive(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.getAccessToken({ ...options, forceRefresh: true });
  }

  /** Whether the server still issues tokens for this account: asks it, not the clock. */
  async verify(options: { readonly signal?: AbortSignal } = {}): Promise<boolean> {
    try {
      await this.keepAlive(options);
      return true;
    } catch (error) {
      if (SignInRequiredError.is(error)) return false;
      throw error;
    }
  }

  /** Removes the account with all its tokens from the record, and says where the browser signs out of the server. */
  async signOut(options: { readonly postLogoutRedirectUri?: string } = {}): Promise<{ readonly logoutUrl?: string }> {
    return this.#accounts.signOut(this.#selection, strictOptions('signOut', options, ['postLogoutRedirectUri']));
  }

  /** A `fetch` with this account's token, for the protocol's hosts only. Never throws for a status. */
  get fetch(): typeof globalThis.fetch {
    return this.#ownRequests.fetch;
  }

  /** This account as a credential for Azure SDKs. */
  asTokenCredential(): AccountTokenCredential {
    return tokenCredential(this);
  }

  /** This account as an authentication provider for the Microsoft Graph client. */
  asGraphAuthProvider(): AccountGraphAuthProvider {
    return graphAuthProvider(this);
  }

  /**
   * Waits for refreshes in flight and for tokens that are not saved yet, then closes the connections. The backend is yours:
   * close it yourself.
   * @throws TokenNotSavedError when the store did not take the newest tokens within 30 seconds.
   */
  close(): Promise<void> {
    return this.#engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #select(selection: Selection): void {
    this.#selection = selection;
    this.#question = undefined;
  }

  // The hot path: nothing is built for a call without options.
  #questionFor(options: AccessTokenOptions | undefined): Question {
    if (options?.scopes !== undefined || options?.tenantId !== undefined) return this.#engine.question(this.#selection, options);
    this.#question ??= this.#newQuestion();
    return this.#question;
  }

  #newQuestion(): Question {
    const { homeAccountId, username } = this.#selection;
    const anyone = homeAccountId === undefined && username === undefined;
    return anyone ? this.#engine.anyAccount : this.#engine.question(this.#selection);
  }

  get #ownRequests(): AccountRequests {
    this.#requests ??= new AccountRequests(this.#engine, (options) => this.#tokenForRequest(options));
    return this.#requests;
  }

  get #accounts(): SignedInAccounts {
    return new SignedInAccounts(this.#engine, this.#tokenKey);
  }

  get #signIn(): SignIn {
    return new SignIn(this.#engine);
  }

  async #finish(signedIn: Awaited<ReturnType<SignIn['finish']>>, options: Parameters<SignIn['store']>[2]): Promise<SignInResult> {
    const result = await this.#signIn.store(signedIn, this.#tokenKey, options);
    if (options.storeToken !== false && result.tokenKey === this.#tokenKey)
      this.#select({ homeAccountId: result.account.homeAccountId });
    return result;
  }

  async #authenticateApplication({ scopes, claims, signal }: SignInOptions): Promise<SignInResult> {
    const result = await this.getAccessToken(defined({ scopes, claims, signal }));
    const tenantId = this.#engine.options.tenantId ?? '';
    return { account: { homeAccountId: '', username: '', tenantId }, scopes: result.scopes, tokenKey: this.#tokenKey };
  }

  #tokenForRequest({ account, ...options }: TokenForRequestOptions): Promise<AccessTokenResult> {
    const { signal, forceRefresh, claims, refusedToken } = options;
    const isFirst = account === undefined && refusedToken === undefined && !forceRefresh && claims === undefined;
    if (isFirst) return this.getAccessToken(defined({ signal }));
    // A request goes on as whoever it was begun for, whoever is selected by now.
    const { homeAccountId } = account ?? {};
    const question = homeAccountId === undefined ? this.#questionFor(undefined) : this.#engine.question({ homeAccountId });
    return this.#engine.token(this.#tokenKey, question, options);
  }
}

const NOBODY: Selection = Object.freeze({});
