import { acquireLease, type Lease, type LeaseTiming } from '../backend/lease.js';
import { leaseName } from '../backend/lease-name.js';
import type { DecodedRecord, RecordAccess } from '../backend/record-access.js';
import type { LeaseProvider } from '../backend/token-backend.js';
import type { Clock } from '../clock.js';
import { RefreshFailedError, TokenryError } from '../errors.js';
import { TokenEndpointError } from '../provider/token-endpoint-error.js';
import type { TokenProvider } from '../provider/token-provider.js';
import { TokenCache } from '../tokens/token-cache.js';
import { untilAborted } from '../until-aborted.js';
import { exchangeOnce } from './exchange.js';
import { hold } from './hold.js';
import { refusalError } from './refusal.js';
import { leasesTooShort, MAX_LEASES, sendingRight } from './sending-right.js';
import { SingleFlight } from './single-flight.js';
import type { UnsavedTokens } from './unsaved-tokens.js';

/** Whom the token belongs to is known once it was exchanged: the file does not say. */
const NOBODY_YET = 'anonymous';

export interface LegacyImportOptions {
  readonly provider: TokenProvider;
  readonly backendId: string;
  readonly records: RecordAccess;
  readonly leases: LeaseProvider;
  readonly timing: LeaseTiming;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  /** Whoever keeps the leases of tokens that are not saved yet. */
  readonly unsaved: Pick<UnsavedTokens, 'keep'>;
}

/**
 * Takes over a python-o365 2.0 token file, which holds one refresh token and no account: exchanges it once among all
 * processes that share the record, and stores what the server answers as a sign-in. The file's own fields go then.
 */
export class LegacyImport {
  readonly #options: LegacyImportOptions;
  readonly #flights = new SingleFlight();

  constructor(options: LegacyImportOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the record holds accounts, or has nothing to import.
   * @throws InteractionRequiredError when the server no longer takes the token; RefreshFailedError and others when trying
   * again can help.
   */
  async run(
    tokenKey: string,
    scopes: readonly string[],
    { signal }: { readonly signal?: AbortSignal | undefined },
  ): Promise<void> {
    if (waitingIn(await this.#options.records.current(tokenKey, signal ? { signal } : {})) === undefined) return;
    const { result } = this.#flights.run(tokenKey, tokenKey, () => this.#import(tokenKey, scopes));
    await hold(untilAborted(result, signal));
  }

  /** Resolves when no import is in flight. */
  settled(): Promise<void> {
    return this.#flights.settled();
  }

  async #import(tokenKey: string, scopes: readonly string[]): Promise<void> {
    for (let attempt = 1; attempt <= MAX_LEASES; attempt++) if (await this.#underLease(tokenKey, scopes)) return;
    throw leasesTooShort();
  }

  /** `false`: the lease ran out before anything was spent. */
  async #underLease(tokenKey: string, scopes: readonly string[]): Promise<boolean> {
    const { provider, backendId, records, leases, timing, clock } = this.#options;
    const { issuer: authority, clientId } = provider;
    const name = leaseName({ backendId, tokenKey, authority, clientId, homeAccountId: NOBODY_YET });
    const isDone = async () => (waitingIn(await records.fresh(tokenKey)) === undefined ? true : undefined);
    const granted = await acquireLease(leases, name, { timing, clock, whileWaiting: isDone });
    if ('adopted' in granted) return true;
    const release = () => granted.lease.release();
    let unsaved: Promise<void> | undefined;
    try {
      const secret = waitingIn(await records.fresh(tokenKey));
      if (secret === undefined) return true;
      const result = await this.#exchange(tokenKey, { secret, scopes }, granted.lease);
      if (result === undefined) return false;
      const { saved, settled } = await records.commit(tokenKey, (cache) => {
        cache.applySignIn(result);
        cache.removeRefreshToken(secret);
      });
      // Every read shows it from here on. The lease is kept until the store does, too: the token in the file is spent.
      if (!saved) unsaved = settled;
      return true;
    } finally {
      if (unsaved) this.#options.unsaved.keep({ tokenKey, settled: unsaved, release });
      else await release();
    }
  }

  /** `undefined`: the lease ran out, and nothing was spent. */
  async #exchange(
    tokenKey: string,
    { secret, scopes }: { readonly secret: string; readonly scopes: readonly string[] },
    lease: Lease,
  ): Promise<TokenCache | undefined> {
    const { provider, records, timing, fetch, clock } = this.#options;
    const environment = provider.environments[0] ?? provider.issuer;
    const { clientId } = provider;
    const token = { environment, client_id: clientId, home_account_id: NOBODY_YET, credential_type: 'RefreshToken', secret };
    const slice = TokenCache.deserialize(JSON.stringify({ RefreshToken: { only: token } })).slice({
      homeAccountId: NOBODY_YET,
      clientId,
      environment,
      now: () => clock.now(),
    });
    const grant = { grantType: 'refresh_token', homeAccountId: NOBODY_YET } as const;
    const right = sendingRight(lease, timing);
    try {
      const wasSent = await exchangeOnce(provider, grant, slice, { scopes, fetch, clock }, right);
      return wasSent ? slice : undefined;
    } catch (error) {
      if (!TokenEndpointError.is(error)) throw unanswered(error);
      const classification = provider.classify(error);
      if (classification.kind === 'token-refused')
        await records.commit(tokenKey, (cache) => void cache.removeRefreshToken(secret));
      throw refusalError(error, classification, 'refresh_token');
    }
  }
}

function waitingIn(record: DecodedRecord | undefined): string | undefined {
  const legacy = record?.cache.legacyRefreshToken;
  return legacy === undefined || record?.cache.getAccounts().length ? undefined : legacy.secret;
}

function unanswered(cause: unknown): unknown {
  if (TokenryError.is(cause) || (cause instanceof TypeError && 'code' in cause && String(cause.code).startsWith('TOKENRY_')))
    return cause;
  return new RefreshFailedError('The authorization server could not be reached, or did not answer.', { cause });
}
