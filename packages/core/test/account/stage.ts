import { type DevAuthority, type DevAuthorityOptions, startDevAuthority } from '@tokenry/dev-authority';
import { MemoryTokenBackend } from '@tokenry/memory';
import { Account } from '../../src/account.js';
import type { AccountOptions } from '../../src/account-options.js';
import type { ApplicationCredentials } from '../../src/application-credentials.js';
import type { Clock } from '../../src/clock.js';

export const ADA = 'ada@contoso.example';
export const BEN = 'ben@contoso.example';
export const GWEN = 'gwen@fabrikam.example';
export const WEB: ApplicationCredentials = ['web-1', 'secret-TEST-web'];
export const PUBLIC: ApplicationCredentials = ['public-1'];
export const REDIRECT_URI = 'http://localhost:8400/signed-in';

/** The dev authority and accounts that trust it. Closes all of them. */
export interface AccountStage extends AsyncDisposable {
  readonly authority: DevAuthority;
  account(credentials?: ApplicationCredentials, options?: Partial<AccountOptions>): Account;
  /** Signs `username` in with the account, by a consent handler. */
  signIn(account: Account, username?: string): Promise<void>;
  signedIn(options?: Partial<AccountOptions>, username?: string): Promise<Account>;
  /** Moves the authority's clock and ours together. */
  pass(ms: number): void;
  readonly clock: Clock;
  /** Number of requests at the token endpoint with this grant. */
  count(grantType: string): number;
}

export async function openAccountStage(options: DevAuthorityOptions = {}): Promise<AccountStage> {
  const authority = await startDevAuthority(options);
  const accounts: Account[] = [];
  let passedMs = 0;
  const clock: Clock = { now: () => Date.now() + passedMs, monotonic: () => performance.now() + passedMs };
  const account: AccountStage['account'] = (credentials = WEB, more = {}) => {
    const made = new Account(credentials, {
      ...authority.accountOptions,
      proxy: false,
      clock,
      scopes: 'basic',
      tokenBackend: more.tokenBackend ?? new MemoryTokenBackend({ clock }),
      ...more,
    });
    accounts.push(made);
    return made;
  };
  const signIn: AccountStage['signIn'] = async (who, username = ADA) => {
    await who.authenticate({ handleConsent: authority.consentAs(username) });
  };
  return {
    authority,
    account,
    clock,
    signIn,
    signedIn: async (more, username) => {
      const made = account(WEB, more);
      await signIn(made, username);
      return made;
    },
    pass: (ms) => {
      passedMs += ms;
      authority.advanceClock(ms);
    },
    count: (grantType) => authority.calls({ grantType }).length,
    async [Symbol.asyncDispose]() {
      await Promise.all(accounts.map((made) => made.close()));
      await authority.close();
    },
  };
}

/** What `work` ends with: its error. */
export async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('This should have failed.');
}
