/** `@tokenry/core/backend`: everything that the author of a backend needs. */
export { BaseTokenBackend, type BaseTokenBackendOptions, type OwnBackend } from '../backend/base-token-backend.js';
export { type ClientKind, checkClient } from '../backend/check-client.js';
export { ConditionalWriteLeases } from '../backend/conditional-write-leases.js';
export { InProcessLeases } from '../backend/in-process-leases.js';
export { type InTimeOptions, inTime, NoAnswerError } from '../backend/in-time.js';
export {
  type AcquireLeaseOptions,
  acquireLease,
  defaultLeaseTiming,
  type Lease,
  type LeaseTiming,
} from '../backend/lease.js';
export { type LeaseNameParts, leaseName } from '../backend/lease-name.js';
export type { RecordCacheOptions } from '../backend/record-cache.js';
export { decodeName, encodeName, isReservedRecordName, type RecordNames } from '../backend/record-key.js';
export type {
  BackendCapabilities,
  Expectation,
  LeaseProvider,
  LeaseRequest,
  ReadOptions,
  RecordStore,
  RefreshRequest,
  RemoveOptions,
  StoredRecord,
  TokenBackend,
  TokenKeyOptions,
  UpdateTokenOptions,
  WriteOptions,
} from '../backend/token-backend.js';
export { type Clock, sleep, systemClock } from '../clock.js';
export type { CryptographyManager } from '../crypto/cryptography-manager.js';
export { JweCryptographyManager, type JweCryptographyManagerOptions } from '../crypto/jwe-cryptography-manager.js';
export {
  BackendAccessDeniedError,
  BackendThrottledError,
  BackendUnavailableError,
  CapabilityError,
  DecryptError,
  LeaseTimeoutError,
  RecordCorruptError,
  RecordTooLargeError,
  TimeoutError,
  TokenNotSavedError,
  TokenryError,
  VersionConflictError,
} from '../errors.js';
export { retryAfterMs } from '../http/retry-after.js';
export { emit } from '../observability/events.js';
export { checkTimeout, invalidArgument, nearestName, outOfRange, strictOptions } from '../options.js';
export { untilAborted } from '../until-aborted.js';
