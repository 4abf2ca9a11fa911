import type { AccountEngine } from './account-engine.js';
import { checkTokenKey } from './backend/token-key.js';
import { checkClaims } from './claims-challenge.js';
import { defined } from './defined.js';
import { invalidArgument } from './options.js';
import type { Scopes } from './protocol/scopes.js';
import type { DeviceFlow } from './provider/token-provider.js';
import type { ConsentHandler } from './sign-in/consent.js';
import { defaultConsent } from './sign-in/default-consent.js';
import { finishDeviceFlow, startDeviceFlow } from './sign-in/device-flow.js';
import { signInWithConsent } from './sign-in/interactive-sign-in.js';
import { redeem, signInFailure } from './sign-in/redeem.js';
import type { SignedIn, SignInRequest } from './sign-in/sign-in-dependencies.js';
import { finishSignIn, type SignInFlow, startSignIn } from './sign-in/sign-in-flow.js';
import type { AccountInfo } from './tokens/schema.js';

/** How to sign in. */
export interface SignInOptions {
  /** Helper names, short or full scopes. @default the account's scopes */
  readonly scopes?: Scopes;
  /** A redirect URI of the app registration. */
  readonly redirectUri?: string;
  /** `login`, `select_account`, `consent` or `none`. */
  readonly prompt?: string;
  /** User name to fill in. */
  readonly loginHint?: string;
  readonly domainHint?: string;
  /** Claims challenge, as JSON: the `claims` of an `InteractionRequiredError`. */
  readonly claims?: string;
  /** More parameters for the login page. */
  readonly extraParameters?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export const SIGN_IN_OPTIONS = [
  'scopes',
  'redirectUri',
  'prompt',
  'loginHint',
  'domainHint',
  'claims',
  'extraParameters',
  'signal',
] as const satisfies readonly (keyof SignInOptions)[];

/** Who signed in, what was granted, and where the tokens are. */
export interface SignInResult {
  readonly account: AccountInfo;
  readonly scopes: readonly string[];
  readonly tokenKey: string;
}

/** The ways to sign in, for one account. */
export class SignIn {
  readonly #engine: AccountEngine;

  constructor(engine: AccountEngine) {
    this.#engine = engine;
  }

  interactive(
    options: SignInOptions,
    { handleConsent, username }: { readonly handleConsent: ConsentHandler | undefined; readonly username: string | undefined },
  ): Promise<SignedIn> {
    if (this.#engine.flow === 'password') return this.#byPassword(options, username);
    return signInWithConsent(this.#engine.signInDependencies, this.#request(options), handleConsent ?? defaultConsent());
  }

  start(options: SignInOptions): Promise<{ readonly url: string; readonly flow: SignInFlow }> {
    const { redirectUri } = this.#request(options);
    if (redirectUri === undefined)
      return Promise.reject(invalidArgument('redirectUri is required: the address of your own callback page, as registered.'));
    return startSignIn(this.#engine.signInDependencies, { ...this.#request(options), redirectUri });
  }

  finish(
    redirectedUrl: string | URL,
    flow: SignInFlow,
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<SignedIn> {
    return finishSignIn(this.#engine.signInDependencies, redirectedUrl, flow, signal === undefined ? {} : { signal });
  }

  startDevice(options: SignInOptions): Promise<DeviceFlow> {
    return startDeviceFlow(this.#engine.signInDependencies, this.#request(options));
  }

  finishDevice(flow: DeviceFlow, { signal }: { readonly signal?: AbortSignal }): Promise<SignedIn> {
    const { options } = this.#engine;
    const scopes = options.scopes === undefined ? [] : this.#engine.signInScopes();
    return finishDeviceFlow(this.#engine.signInDependencies, flow, { scopes, ...(signal === undefined ? {} : { signal }) });
  }

  /** Puts what a sign-in brought into its record; a sign-in always replaces, and an unreadable record is set aside first. */
  async store(
    { account, scopes, slice }: SignedIn,
    ownKey: string,
    options: {
      readonly tokenKey?: string | ((result: Omit<SignInResult, 'tokenKey'>) => string) | undefined;
      readonly storeToken?: boolean | undefined;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<SignInResult> {
    const { tokenKey: chosen, storeToken = true, signal } = options;
    // A function that finds no key must not file somebody's tokens under the default one, where others look for theirs.
    const tokenKey = typeof chosen === 'function' ? checkTokenKey(chosen({ account, scopes })) : (chosen ?? ownKey);
    this.#engine.serverClock.learn(slice);
    if (storeToken) {
      const how = { tokenKey, overwriteCorrupt: true, ...(signal === undefined ? {} : { signal }) };
      await this.#engine.options.tokenBackend.updateToken((cache) => {
        cache.applySignIn(slice);
        // The token of a python-o365 2.0 file is replaced as a whole.
        if (cache.legacyRefreshToken) cache.removeRefreshToken(cache.legacyRefreshToken.secret);
      }, how);
    }
    return { account, scopes, tokenKey };
  }

  #request({ scopes, ...rest }: SignInOptions): SignInRequest {
    // Among the parameters of the login page they are claims all the same, and go with the code as well.
    const { claims = rest.extraParameters?.claims } = rest;
    checkClaims(claims);
    const { redirectUri } = this.#engine.options;
    return { ...defined({ redirectUri }), ...rest, ...defined({ claims }), scopes: this.#engine.signInScopes(scopes) };
  }

  async #byPassword({ scopes, claims, signal }: SignInOptions, username: string | undefined): Promise<SignedIn> {
    checkClaims(claims);
    const { provider, options } = this.#engine;
    const { password } = options;
    if (username === undefined || password === undefined)
      throw invalidArgument('authFlowType "password" needs the options username and password.');
    const context = this.#engine.context(this.#engine.signInScopes(scopes), { claims, signal });
    try {
      return await redeem(provider, { grantType: 'password', username, password }, context);
    } catch (error) {
      throw signInFailure(error, provider, signal);
    }
  }
}
