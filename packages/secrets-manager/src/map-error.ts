import {
  BackendAccessDeniedError,
  BackendThrottledError,
  BackendUnavailableError,
  CapabilityError,
  retryAfterMs,
  TokenryError,
} from '@tokenry/core/backend';

/** What was tried, for the message. */
export interface Attempt {
  /** Such as `read the secret "prod/o365-token"`. */
  readonly doing: string;
  /** The action that it takes, such as `secretsmanager:GetSecretValue`. */
  readonly action: string;
}

/** The parts of the vendor's errors that are read here; all of them are documented, or headers of HTTP. */
export interface SdkError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

type Advice = (attempt: Attempt) => string;

/** Names from docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html and of the SDK's own errors. */
const DENIED: Readonly<Record<string, Advice>> = {
  AccessDeniedException: ({ action }) => `this program may not. It needs ${action} on this secret.`,
  AccessDenied: ({ action }) => `this program may not. It needs ${action} on this secret.`,
  NotAuthorized: ({ action }) => `this program may not. It needs ${action} on this secret.`,
  UnrecognizedClientException: () => 'the access key does not exist. It may have been rotated.',
  InvalidClientTokenId: () => 'the access key does not exist. It may have been rotated.',
  InvalidSignatureException: () => 'the secret access key is wrong, or the clock of this machine is more than five minutes off.',
  SignatureDoesNotMatch: () => 'the secret access key is wrong.',
  IncompleteSignatureException: () => 'the credentials are not whole.',
  IncompleteSignature: () => 'the credentials are not whole.',
  MissingAuthenticationTokenException: () => 'the request carried no credentials.',
  ExpiredTokenException: () => 'the session credentials have expired.',
  RequestExpired: () => 'the clock of this machine is off.',
  OptInRequired: () => 'the AWS account has no subscription to this service.',
  CredentialsProviderError: () =>
    'no credentials were found. Give this program a role, a profile or keys, or pass clientOptions.credentials.',
  CredentialsInvalid: () =>
    'clientOptions.credentials must have an accessKeyId and a secretAccessKey, or be a function that gives them.',
  RegionMissing: () => 'no region was found. Set AWS_REGION, a profile, or clientOptions.region.',
  RegionInvalid: () => 'the region is no name of one. Mend AWS_REGION, the profile, or clientOptions.region.',
  DecryptionFailure: () => 'its KMS key cannot be used: disabled, deleted, or this program lacks kms:Decrypt.',
  // Of a secret it is absence; what else a request names is the key.
  ResourceNotFoundException: () => 'its KMS key does not exist in this account and region. Mend kmsKeyId.',
  EncryptionFailure: () => 'its KMS key cannot be used: disabled, deleted, or this program lacks kms:GenerateDataKey.',
};

const THROTTLED: Readonly<Record<string, Advice>> = {
  ThrottlingException: () => 'the service asks to slow down.',
  Throttling: () => 'the service asks to slow down.',
  ThrottledException: () => 'the service asks to slow down.',
  TooManyRequestsException: () => 'the service asks to slow down.',
  RequestLimitExceeded: () => 'the service asks to slow down.',
  LimitExceededException: () =>
    'a quota is used up: about 100 versions of one secret (those of the last 24 hours are never removed), or the number of secrets. Give each account a token key of its own.',
};

const UNAVAILABLE: Readonly<Record<string, Advice>> = {
  CredentialsFailed: () => 'clientOptions.credentials failed to give any; the cause says why.',
  EndpointError: () => 'no address can be made of the configuration. Mend clientOptions.endpoint or AWS_ENDPOINT_URL.',
};

const UNSUITABLE: Readonly<Record<string, Advice>> = {
  InvalidRequestException: () => 'the service refuses it for this secret. It may be managed or replicated by another service.',
  InvalidParameterException: () => 'the service refuses the request.',
  ValidationException: () => 'the service refuses the request.',
  MalformedPolicyDocumentException: () => 'the policy of the secret is broken.',
};

/**
 * Turns an error of the SDK, told by its *name*, into one that says what it means for a token, and what to do. Absence
 * is never an error here: who can read ResourceNotFoundException as "absent" does so before. Errors that are not the
 * SDK's pass through.
 */
export function mapError(error: unknown, attempt: Attempt): unknown {
  if (!(error instanceof Error) || TokenryError.is(error)) return error;
  const name = nameOf(error);
  const options = safeCause(error);
  const message = (advice: string) => `Could not ${attempt.doing} (${(error as SdkError).code ?? name}): ${advice}`;
  if (DENIED[name]) return new BackendAccessDeniedError(message(DENIED[name](attempt)), options);
  if (UNSUITABLE[name]) return new CapabilityError(message(UNSUITABLE[name](attempt)), options);
  if (THROTTLED[name]) {
    const throttled = message(THROTTLED[name](attempt));
    return new BackendThrottledError(throttled, { ...options, retryAfterMs: askedMs(error) });
  }
  if (UNAVAILABLE[name]) return new BackendUnavailableError(message(UNAVAILABLE[name](attempt)), options);
  return byNature(error, message);
}

/** The SDK gives these a text, but no name. */
const NAMELESS: readonly (readonly [string, string])[] = [
  ['Region is missing', 'RegionMissing'],
  ['Region not accepted', 'RegionInvalid'],
  ['Resolved credential object is not valid', 'CredentialsInvalid'],
];

function nameOf({ name, message, code }: SdkError): string {
  if (code === 'ERR_INVALID_URL') return 'EndpointError';
  return NAMELESS.find(([text]) => name === 'Error' && message.startsWith(text))?.[1] ?? name;
}

// Names that nobody has heard of yet. What is not known for certain is an outage.
function byNature(error: SdkError, message: (advice: string) => string): unknown {
  const status = error.$metadata?.httpStatusCode ?? undefined;
  const options = safeCause(error);
  if (status === 401 || status === 403) return new BackendAccessDeniedError(message('the service denies it.'), options);
  if (status === 429) {
    const throttled = message('the service asks to slow down.');
    return new BackendThrottledError(throttled, { ...options, retryAfterMs: askedMs(error) });
  }
  if (status !== undefined || isNetworkTrouble(error)) {
    const unanswered = message('the service did not answer as it should. Nothing is known about the token.');
    return new BackendUnavailableError(unanswered, options);
  }
  return error;
}

/** Trouble on the way: a system call, TLS, a time-out, an answer that ended early. */
function isNetworkTrouble(error: SdkError): boolean {
  if (typeof error.code === 'string') return true;
  return (
    /^(TimeoutError|NoAnswerError|NetworkingError|AbortError|SyntaxError)$/.test(error.name) || error.$response !== undefined
  );
}

/** How long the answer asks to wait. */
const askedMs = ({ $response }: SdkError) => retryAfterMs(new Headers($response?.headers), Date.now());

/** Denials that are not about the credentials: what they say names users, actions and keys. */
const TELLING = /^(AccessDenied|AccessDeniedException|NotAuthorized|OptInRequired|DecryptionFailure|EncryptionFailure)$/;

// A parser's message quotes what it could not parse: that may be a piece of a token. An answer about the credentials repeats
// the signed request, with the token of the session.
function safeCause(error: SdkError): { readonly cause?: unknown } {
  const { name, $metadata, $response } = error;
  if (name === 'SyntaxError') return {};
  const status = $metadata?.httpStatusCode;
  const isDenial = DENIED[name] !== undefined || status === 401 || status === 403 || /Signature|Token/.test(name);
  if (!isDenial || TELLING.test(name) || $response === undefined) return { cause: error };
  return { cause: Object.assign(new Error('The text is withheld: it may repeat credentials.'), { name, $metadata }) };
}
