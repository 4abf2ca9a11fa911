import {
  BackendAccessDeniedError,
  BackendThrottledError,
  BackendUnavailableError,
  CapabilityError,
  retryAfterMs,
  TokenryError,
  VersionConflictError,
} from '@tokenry/core/backend';

/** What was tried, for the message. */
export interface Attempt {
  /** Such as `read the record "user-1.token"`. */
  readonly doing: string;
  readonly bucketName: string;
  /** The record that a conditional request was about. */
  readonly name: string;
}

/** The parts of the vendor's errors that are read here; all of them are documented, or headers of HTTP. */
export interface SdkError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

type Advice = (attempt: Attempt) => string;

/** Names from docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and of the SDK's own errors. */
const DENIED: Readonly<Record<string, Advice>> = {
  AccessDenied: ({ bucketName }) =>
    `this program may not. It needs s3:GetObject, s3:PutObject and s3:DeleteObject on the objects and s3:ListBucket on the bucket "${bucketName}" (without the latter, S3 also says this of an object that is absent), and with a KMS key kms:Decrypt and kms:GenerateDataKey.`,
  AllAccessDisabled: () => 'access to the bucket is disabled.',
  AccountProblem: () => 'something is wrong with the AWS account.',
  InvalidAccessKeyId: () => 'the access key does not exist. It may have been rotated.',
  SignatureDoesNotMatch: () => 'the secret access key is wrong.',
  ExpiredToken: () => 'the session credentials have expired.',
  InvalidToken: () => 'the session token is not valid.',
  TokenRefreshRequired: () => 'the session credentials must be renewed.',
  RequestTimeTooSkewed: () => 'the clock of this machine is more than 15 minutes off.',
  CredentialsProviderError: () =>
    'no credentials were found. Give this program a role, a profile or keys, or pass clientOptions.credentials.',
  CredentialsInvalid: () =>
    'clientOptions.credentials must have an accessKeyId and a secretAccessKey, or be a function that gives them.',
  RegionMissing: () => 'no region was found. Set AWS_REGION, a profile, or clientOptions.region.',
  RegionInvalid: () => 'the region is no name of one. Mend AWS_REGION, the profile, or clientOptions.region.',
  AuthorizationHeaderMalformed: () => 'the request was signed for another region. Set clientOptions.region.',
  'KMS.DisabledException': () => 'the KMS key is disabled.',
  'KMS.NotFoundException': () => 'the KMS key does not exist.',
  'KMS.KMSInvalidStateException': () => 'the KMS key is in no state to be used (pending deletion, or not enabled).',
  'KMS.InvalidKeyUsageException': () => 'the KMS key is not one that encrypts data.',
};

const THROTTLED = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequests',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'BandwidthLimitExceeded',
  'KMS.ThrottlingException',
]);

const UNAVAILABLE: Readonly<Record<string, Advice>> = {
  NoSuchBucket: ({ bucketName }) =>
    `there is no bucket "${bucketName}" for this endpoint. Create it, or mend bucketName or clientOptions.region. Nothing is known about the token.`,
  CredentialsFailed: () => 'clientOptions.credentials failed to give any; the cause says why.',
  EndpointError: () =>
    'no address can be made of the configuration. Mend bucketName (a name, not an ARN), clientOptions.endpoint or AWS_ENDPOINT_URL.',
  PermanentRedirect: () => 'the bucket is in another region. Set clientOptions.region.',
  QuotaExceeded: () => 'the store is full. The record is as it was.',
  XMinioStorageFull: () => 'the store is full. The record is as it was.',
  InsufficientCapacity: () => 'the store is full. The record is as it was.',
  ConditionalRequestConflict: () => 'others keep writing the same record.',
  OperationAborted: () => 'others keep writing the same record, or the bucket is being changed.',
  BadDigest: () => 'what arrived was not what was sent. Nothing was written.',
  InvalidObjectState: () => 'the object was archived (Glacier). Exclude the records from that lifecycle rule.',
};

const UNSUITABLE: Readonly<Record<string, Advice>> = {
  NotImplemented: () =>
    'this store lacks a function that is needed. Use another store, or set lastWriterWins: true if it is conditions that it lacks.',
  InvalidBucketName: ({ bucketName }) => `"${bucketName}" is no name of a bucket.`,
  EntityTooLarge: () => 'the record is larger than the store takes.',
  MethodNotAllowed: () => 'the bucket does not allow it (object lock, or a website endpoint).',
};

/**
 * Turns an error of the SDK, told by its *name*, into one that says what it means for a token, and what to do. Absence
 * is never an error here: who can read NoSuchKey as "absent" does so before. Errors that are not the SDK's pass through.
 */
export function mapError(error: unknown, attempt: Attempt): unknown {
  if (!(error instanceof Error) || TokenryError.is(error)) return error;
  const name = nameOf(error);
  const options = safeCause(error);
  const message = (advice: string) => `Could not ${attempt.doing} (${(error as SdkError).code ?? name}): ${advice}`;
  if (name === 'PreconditionFailed') return new VersionConflictError(attempt.name, options);
  if (DENIED[name]) return new BackendAccessDeniedError(message(DENIED[name](attempt)), options);
  if (UNAVAILABLE[name]) return new BackendUnavailableError(message(UNAVAILABLE[name](attempt)), options);
  if (UNSUITABLE[name]) return new CapabilityError(message(UNSUITABLE[name](attempt)), options);
  if (THROTTLED.has(name)) {
    const throttled = message('the store asks to slow down.');
    return new BackendThrottledError(throttled, { ...options, retryAfterMs: askedMs(error) });
  }
  return byNature(error, message);
}

/** The SDK gives these a text, but no name. */
const NAMELESS: readonly (readonly [string, string])[] = [
  ['Region is missing', 'RegionMissing'],
  ['Region not accepted', 'RegionInvalid'],
  ['Resolved credential object is not valid', 'CredentialsInvalid'],
  ['Path-style addressing cannot be used with ARN', 'EndpointError'],
];

function nameOf({ name, message, code }: SdkError): string {
  if (code === 'ERR_INVALID_URL') return 'EndpointError';
  return NAMELESS.find(([text]) => name === 'Error' && message.startsWith(text))?.[1] ?? name;
}

// Names that nobody has heard of yet: compatible stores have their own. What is not known for certain is an outage.
function byNature(error: SdkError, message: (advice: string) => string): unknown {
  const status = error.$metadata?.httpStatusCode;
  const options = safeCause(error);
  if (status === 401 || status === 403) return new BackendAccessDeniedError(message('the store denies it.'), options);
  if (status === 429 || (status === 503 && askedMs(error) !== undefined))
    return new BackendThrottledError(message('the store asks to slow down.'), { ...options, retryAfterMs: askedMs(error) });
  if (status !== undefined || isNetworkTrouble(error))
    return new BackendUnavailableError(
      message('the store did not answer as it should. Nothing is known about the token.'),
      options,
    );
  return error;
}

/** Trouble on the way: a system call, TLS, a time-out, an answer that ended early or is not what was stored. */
function isNetworkTrouble(error: SdkError): boolean {
  if (typeof error.code === 'string') return true;
  if (/^(TimeoutError|NoAnswerError|NetworkingError|AbortError|SyntaxError)$/.test(error.name)) return true;
  return error.$response !== undefined || error.message.startsWith('Checksum mismatch');
}

/** How long the answer asks to wait. */
const askedMs = ({ $response }: SdkError) => retryAfterMs(new Headers($response?.headers), Date.now());

/** Denials that are not about the credentials: what they say names users, actions and keys. */
const TELLING = /^(AccessDenied|AllAccessDisabled|AccountProblem|InvalidObjectState|RequestTimeTooSkewed|KMS\..*)$/;

// A parser's message quotes what it could not parse: that may be a piece of a token. An answer about the credentials repeats
// them (`Token-0`), or the signed request with the token of the session (`CanonicalRequest`).
function safeCause(error: SdkError): { readonly cause?: unknown } {
  const { name, $metadata, $response } = error;
  if (name === 'SyntaxError') return {};
  const status = $metadata?.httpStatusCode;
  const isDenial = DENIED[name] !== undefined || status === 401 || status === 403 || /Signature|Token/.test(name);
  if (!isDenial || TELLING.test(name) || $response === undefined) return { cause: error };
  return { cause: Object.assign(new Error('The text is withheld: it may repeat credentials.'), { name, $metadata }) };
}
