import { channel } from 'node:diagnostics_channel';

/**
 * What happens inside, published on `node:diagnostics_channel`. Payloads hold names, times and outcomes, never a token,
 * a secret or a whole error cause. Nothing is built when nobody listens.
 */

/** How a call for an access token ended. */
export type AcquireOutcome = 'hit' | 'refreshed' | 'adopted' | 'coalesced' | 'served-stale' | 'failed';
/** How a refresh ended; who shared it, or got the old token after it, is told by `acquire`. */
export type RefreshOutcome = 'refreshed' | 'adopted' | 'cooling' | 'throttled' | 'request-refused' | 'terminal' | 'failed';

export interface AcquireEvent {
  readonly tokenKey: string;
  readonly outcome: AcquireOutcome;
  readonly durationMs: number;
}
export interface RefreshEvent {
  readonly tokenKey: string;
  readonly homeAccountId: string | undefined;
  readonly grantType: string;
  readonly scopes: readonly string[];
  readonly outcome: RefreshOutcome;
  readonly durationMs: number;
  /** Code of the error, where it failed. */
  readonly code?: string;
}
export interface LeaseEvent {
  readonly name: string;
  readonly action: 'acquired' | 'contended' | 'renewed' | 'lost' | 'released' | 'taken-over' | 'timed-out';
  readonly waitedMs?: number;
  readonly holder?: string;
}
export interface SaveEvent {
  readonly tokenKey: string;
  /** `deferred`: nothing but access tokens, kept in memory until the store may be written again. */
  readonly outcome: 'saved' | 'unchanged' | 'token-not-saved' | 'deferred';
  readonly attempts: number;
  readonly durationMs: number;
}
export interface ConflictEvent {
  readonly tokenKey: string;
  readonly attempt: number;
}
export interface FaultEvent {
  /** `write`: also each vain attempt to save tokens that are pending. */
  readonly operation: 'read' | 'write' | 'lease' | 'token-endpoint';
  readonly tokenKey?: string;
  readonly code: string;
  /** A valid token was handed out although the store could not be read. */
  readonly servedStale?: boolean;
}

/** The channels; subscribe with `diagnostics_channel.subscribe(name, handler)`. */
export const channels = Object.freeze({
  acquire: channel('tokenry:acquire'),
  refresh: channel('tokenry:refresh'),
  lease: channel('tokenry:lease'),
  save: channel('tokenry:save'),
  conflict: channel('tokenry:conflict'),
  fault: channel('tokenry:fault'),
});

/** What is published, by the last part of the channel's name. */
export interface TokenryEvents {
  acquire: AcquireEvent;
  refresh: RefreshEvent;
  lease: LeaseEvent;
  save: SaveEvent;
  conflict: ConflictEvent;
  fault: FaultEvent;
}

/** Publishes one event; `build` runs only when somebody listens. */
export function emit<Name extends keyof TokenryEvents>(name: Name, build: () => TokenryEvents[Name]): void {
  const target = channels[name];
  if (target.hasSubscribers) target.publish(build());
}
