import type { ApiCall, TokenCall } from './calls.js';
import { EventLog } from './event-log.js';
import { checkFault, type Fault, type FaultHandle } from './fault.js';
import { checkClient, checkUser, type DevAuthorityOptions, type DevClient, type DevUser, resolveSettings } from './options.js';
import { ServerThread } from './server-thread.js';
import { type SignInRequest, signInAs } from './sign-in-script.js';
import { trustedRequest } from './trusted-request.js';

/** A running authority. It ends with the process, or with {@link DevAuthority.close}. */
export interface DevAuthority extends AsyncDisposable {
  /** `https://localhost:PORT` */
  readonly url: string;
  /** What an `Account` needs to talk to it. Plain JSON: hand it to other processes. */
  readonly accountOptions: {
    readonly cloud: { readonly name: string; readonly authority: string; readonly graphHost: string };
    /** PEM of the certificate authority made at start. */
    readonly ca: string;
    readonly tenantId: string;
  };
  /** A consent handler that signs this user in and agrees to everything. Unknown users are created. */
  consentAs(username: string): (request: SignInRequest) => Promise<string>;
  /** The same as a browser for loopback consent: opens the URL, signs in, and calls the redirect URI. */
  openBrowserAs(username: string): (url: string) => Promise<void>;
  /** Does what a person does on the device code page. @throws Error for a code that is unknown or used */
  approveDevice(userCode: string, username: string): Promise<void>;
  /** Declines on the device code page. */
  declineDevice(userCode: string): Promise<void>;
  readonly faults: {
    /** In force for every request sent after this returns. @throws TypeError for a fault that could never happen */
    add(fault: Fault): FaultHandle;
  };
  /** Every token request that reached the endpoint, in order of arrival, those that failed or were cut off too. */
  calls(filter?: { readonly grantType?: string; readonly clientId?: string }): readonly TokenCall[];
  /** Every request that the Graph-like API answered. */
  apiCalls(): readonly ApiCall[];
  /** Empties {@link DevAuthority.calls} and {@link DevAuthority.apiCalls}: between phases of a test, or in long runs. */
  forgetCalls(): void;
  /** Moves the authority's clock: tokens expire and `Date` headers shift. Negative moves it back. */
  advanceClock(ms: number): void;
  /** Lifetime in seconds of access tokens issued from now on. */
  setAccessTokenSeconds(seconds: number): void;
  /** Registers an application strictly, or replaces its registration (rotation of secrets and certificates). */
  registerClient(client: DevClient): void;
  /** Adds a user or replaces one. */
  registerUser(user: DevUser): void;
  /** Revokes the refresh tokens and sessions of a user, as an administrator does. */
  revokeSessions(username: string): void;
  /** Keeps the process alive as long as the authority runs; without it the authority holds nothing. */
  ref(): void;
  /** Stops it and frees the port. What was recorded can still be read. */
  close(): Promise<void>;
}

/**
 * Starts an authorization server that behaves like Entra ID, with a small Graph-like API beside it, on a free loopback port.
 * @throws TypeError for unknown options; Error when the port is taken
 * @example
 * ```ts
 * import { startDevAuthority } from '@tokenry/dev-authority';
 *
 * const authority = await startDevAuthority({ refreshTokens: 'one-time' });
 * const redirected = await authority.consentAs('ada@contoso.example')({ url: 'https://…', redirectUri: 'http://localhost:8400' });
 * await authority.close();
 * ```
 */
export async function startDevAuthority(options: DevAuthorityOptions = {}): Promise<DevAuthority> {
  const settings = resolveSettings(options);
  return new RunningAuthority(await ServerThread.start(settings), settings.tenantId);
}

class RunningAuthority implements DevAuthority {
  readonly #thread: ServerThread;
  readonly #log: EventLog;
  readonly url: string;
  readonly accountOptions: DevAuthority['accountOptions'];
  readonly faults: DevAuthority['faults'];
  #closed: Promise<void> | undefined;
  #faults = 0;

  constructor(thread: ServerThread, tenantId: string) {
    this.#thread = thread;
    this.#log = new EventLog(() => thread.drain());
    this.url = `https://localhost:${thread.tcpPort}`;
    const cloud = { name: 'dev-authority', authority: this.url, graphHost: `localhost:${thread.tcpPort}` };
    this.accountOptions = { cloud, ca: thread.ca, tenantId };
    this.faults = { add: (fault) => this.#addFault(fault) };
  }

  consentAs(username: string) {
    return (request: SignInRequest) => signInAs(username, { ...request, ca: this.#thread.ca });
  }

  openBrowserAs(username: string) {
    return async (url: string) => {
      const { searchParams } = new URL(url);
      const redirectUri = searchParams.get('redirect_uri') ?? '';
      const redirected = new URL(await signInAs(username, { url, redirectUri, ca: this.#thread.ca }));
      if (searchParams.get('response_mode') !== 'form_post') await fetch(redirected);
      else await fetch(redirectUri, { method: 'POST', body: redirected.searchParams });
    };
  }

  async approveDevice(userCode: string, username: string) {
    await this.#decideDevice({ user_code: userCode, username });
  }

  async declineDevice(userCode: string) {
    await this.#decideDevice({ user_code: userCode, decline: 'yes' });
  }

  calls(filter: { readonly grantType?: string; readonly clientId?: string } = {}) {
    return this.#log
      .calls()
      .filter(
        ({ grantType, clientId }) => grantType === (filter.grantType ?? grantType) && clientId === (filter.clientId ?? clientId),
      );
  }

  apiCalls() {
    return this.#log.apiCalls();
  }

  forgetCalls() {
    this.#log.forget();
  }

  advanceClock(ms: number) {
    this.#thread.tell({ type: 'advance-clock', ms });
  }

  setAccessTokenSeconds(seconds: number) {
    if (!Number.isSafeInteger(seconds) || seconds < 1)
      throw new TypeError('Access tokens live a whole number of seconds, from 1.');
    this.#thread.tell({ type: 'token-lifetime', seconds });
  }

  registerClient(client: DevClient) {
    checkClient(client);
    this.#thread.tell({ type: 'register-client', client });
  }

  registerUser(user: DevUser) {
    checkUser(user);
    this.#thread.tell({ type: 'register-user', user });
  }

  revokeSessions(username: string) {
    this.#thread.tell({ type: 'revoke-sessions', username });
  }

  ref() {
    this.#thread.ref();
  }

  close() {
    this.#closed ??= this.#thread.stop(() => this.#log.catchUp());
    return this.#closed;
  }

  [Symbol.asyncDispose]() {
    return this.close();
  }

  #addFault(fault: Fault): FaultHandle {
    checkFault(fault);
    const id = this.#faults++;
    const log = this.#log;
    this.#thread.tell({ type: 'add-fault', id, fault });
    return {
      get hits() {
        return log.hits(id);
      },
      remove: () => this.#thread.tell({ type: 'remove-fault', id }),
    };
  }

  async #decideDevice(form: Record<string, string>): Promise<void> {
    const answer = await trustedRequest(`${this.url}/common/oauth2/deviceauth`, { ca: this.#thread.ca, form });
    if (answer.status !== 200) throw new Error('The authority does not know this device code, or it was used before.');
  }
}
