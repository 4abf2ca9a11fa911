import { systemClock } from '../clock.js';
import { CachedRecords } from './cached-records.js';
import { ForeignTokens } from './foreign-tokens.js';
import type { RecordAccess } from './record-access-contract.js';
import { recordCacheOptions } from './record-cache.js';
import type { TokenBackend } from './token-backend.js';

export type { CommitResult, RecordAccess, SignalOption } from './record-access-contract.js';
export type { DecodedRecord } from './record-source.js';

/** Where a backend of this family keeps its own record access; the same in every installed copy of this package. */
export const RECORD_ACCESS = Symbol.for('tokenry.recordAccess');

const foreign = new WeakMap<TokenBackend, RecordAccess>();

/** The backend's own record access, or one built over the token face of a backend that was not made with BaseTokenBackend. */
export function recordAccessOf(backend: TokenBackend): RecordAccess {
  const own = (backend as { readonly [RECORD_ACCESS]?: RecordAccess })[RECORD_ACCESS];
  if (own) return own;
  let access = foreign.get(backend);
  if (!access) {
    access = new CachedRecords({
      source: new ForeignTokens(backend),
      clock: systemClock,
      cache: recordCacheOptions(undefined, {}),
    });
    foreign.set(backend, access);
  }
  return access;
}
