import {
  BackendAccessDeniedError,
  BackendThrottledError,
  BackendUnavailableError,
  CapabilityError,
  RecordTooLargeError,
  TokenryError,
  VersionConflictError,
} from '@tokenry/core/backend';
import { type StatusName, statusOf } from './grpc-status.js';
import { MAX_RECORD_BYTES } from './record-document.js';

/** What was tried. */
export interface Attempt {
  readonly verb: 'read' | 'save' | 'remove' | 'list';
  readonly collection: string;
  /** Of the record; none in listings. */
  readonly name?: string;
  /** Of what was to be saved. */
  readonly bytes?: number;
  /** It was to be changed only if it is the expected one. */
  readonly conditional?: boolean;
}

/** What a document that is not the expected one can be answered with; ABORTED: others are changing it right now. */
const CONFLICTS: ReadonlySet<StatusName> = new Set(['NOT_FOUND', 'FAILED_PRECONDITION', 'ALREADY_EXISTS', 'ABORTED']);

const DENIED: Partial<Record<StatusName, string>> = {
  PERMISSION_DENIED:
    'these credentials may not. Give their service account the role roles/datastore.user on the project or database, and check that the Firestore API is enabled.',
  UNAUTHENTICATED:
    'Google does not accept the credentials. Check clientOptions, GOOGLE_APPLICATION_CREDENTIALS, or the service account of this machine.',
};

/** The client library's words for what no status says. */
const NO_CREDENTIALS = /could not load the default credentials|unable to detect a project id|could not refresh access token/i;
const TERMINATED = /client has already been terminated/i;
const NO_DATABASE = /\bdatabase\b.*does not exist|datastore mode/is;
const TOO_LARGE = /longer than|exceeds the maximum|maximum (?:\w+ )?size|too (?:large|big)/i;

/**
 * Turns an error of the Firestore SDK into one that says what it means for a token, and what to do. Decides by gRPC status;
 * the SDK's words only tell apart what has one status. Errors that are not the SDK's pass through.
 */
export function mapError(error: unknown, attempt: Attempt): unknown {
  if (!(error instanceof Error) || TokenryError.is(error)) return error;
  if (isSilence(error))
    return new BackendUnavailableError(message(attempt, 'Firestore did not answer within timeoutMs.'), { cause: error });
  const status = statusOf(error);
  if (status !== undefined) return mapStatus(status, error, attempt);
  if (NO_CREDENTIALS.test(error.message))
    return new BackendAccessDeniedError(
      message(
        attempt,
        'no credentials or no project were found. Give clientOptions, or set GOOGLE_APPLICATION_CREDENTIALS and GOOGLE_CLOUD_PROJECT.',
      ),
      { cause: error },
    );
  if (TERMINATED.test(error.message))
    return new CapabilityError(message(attempt, 'the injected client was terminated by its owner.'), { cause: error });
  // Network errors of the token endpoint carry the system's code.
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string' && /^E[A-Z_]+$/.test(code) && !code.startsWith('ERR_'))
    return new BackendUnavailableError(message(attempt, `the network failed (${code}).`), { cause: error });
  return error;
}

/** Nothing came back within `timeoutMs`. */
export const isSilence = (error: unknown): boolean => error instanceof Error && error.name === 'NoAnswerError';

function mapStatus(status: StatusName, error: Error, attempt: Attempt): TokenryError {
  const say = (advice: string) => message(attempt, `${status}: ${advice}`);
  const cause = { cause: error };
  const denied = DENIED[status];
  if (denied !== undefined) return new BackendAccessDeniedError(say(denied), cause);
  if (NO_DATABASE.test(error.message))
    return new CapabilityError(
      say('the project has no such database in native mode. Create it, or name another with clientOptions.databaseId.'),
      cause,
    );
  if (attempt.conditional && CONFLICTS.has(status)) return new VersionConflictError(attempt.name ?? '', cause);
  if (status === 'RESOURCE_EXHAUSTED' || status === 'ABORTED') {
    const advice = 'a quota of the project is used up, or too many requests hit one document. Slow down.';
    return new BackendThrottledError(say(advice), { ...cause, retryAfterMs: retryAfterMs(error) });
  }
  if (status === 'INVALID_ARGUMENT' && attempt.bytes !== undefined && TOO_LARGE.test(error.message))
    return new RecordTooLargeError(attempt.name ?? '', { ...cause, bytes: attempt.bytes, maxRecordBytes: MAX_RECORD_BYTES });
  if (status === 'INVALID_ARGUMENT' || status === 'UNIMPLEMENTED' || status === 'NOT_FOUND' || status === 'FAILED_PRECONDITION')
    return new CapabilityError(say(`the server refused the request. Check the collection, docId and fieldName.`), cause);
  return new BackendUnavailableError(say('Firestore cannot be reached or did not answer in time.'), cause);
}

function message({ verb, collection, name }: Attempt, advice: string): string {
  const what = name === undefined ? `the records of the collection "${collection}"` : `the document "${name}" in "${collection}"`;
  return `Could not ${verb} ${what}: ${advice}`;
}

/** google.rpc.RetryInfo, which the SDK decodes into `statusDetails`. */
function retryAfterMs(error: Error): number | undefined {
  const { statusDetails } = error as { readonly statusDetails?: unknown };
  if (!Array.isArray(statusDetails)) return undefined;
  for (const detail of statusDetails as readonly {
    readonly retryDelay?: { readonly seconds?: unknown; readonly nanos?: unknown };
  }[]) {
    if (typeof detail?.retryDelay !== 'object' || detail.retryDelay === null) continue;
    const ms = Number(detail.retryDelay.seconds ?? 0) * 1_000 + Number(detail.retryDelay.nanos ?? 0) / 1e6;
    if (Number.isFinite(ms)) return ms;
  }
  return undefined;
}
