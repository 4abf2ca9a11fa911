import {
  BackendAccessDeniedError,
  BackendThrottledError,
  BackendUnavailableError,
  CapabilityError,
  RecordCorruptError,
  TokenryError,
} from '@tokenry/core/backend';

/** What was tried, for the message: `read the record "o365_token.txt"`. */
export interface Attempt {
  readonly doing: string;
  /** What the connection itself said last; a command only learns that it is closed. */
  readonly connectionError?: Error | undefined;
}

type Translate = (message: string, options: { readonly cause: unknown }) => TokenryError;

const unavailable: Translate = (message, options) => new BackendUnavailableError(message, options);
const denied: Translate = (message, options) => new BackendAccessDeniedError(message, options);
const throttled: Translate = (message, options) => new BackendThrottledError(message, options);
const corrupt: Translate = (message, options) => new RecordCorruptError(message, options);
const unsuitable: Translate = (message, options) => new CapabilityError(message, options);

/** Error replies begin with a word that says what kind they are (redis.io/docs, "RESP protocol: simple errors"). */
const REPLIES: Readonly<Record<string, readonly [Translate, string]>> = {
  NOAUTH: [denied, 'the server wants a password. Give username and password in clientOptions.'],
  WRONGPASS: [denied, 'the server refused user name or password.'],
  NOPERM: [denied, 'the ACL of this user forbids it. The README lists what the user needs.'],
  DENIED: [denied, 'the server is in protected mode and accepts only local clients.'],
  LOADING: [unavailable, 'the server is loading its data.'],
  BUSY: [unavailable, 'the server is busy with a script.'],
  TRYAGAIN: [unavailable, 'the slot is being moved to another server.'],
  CLUSTERDOWN: [unavailable, 'the cluster is down, or the slot is not served.'],
  MASTERDOWN: [unavailable, 'the server is a replica that lost its primary.'],
  READONLY: [unavailable, 'the server is a replica now; a fail-over is under way.'],
  NOREPLICAS: [unavailable, 'the server has fewer replicas than it wants for a write (min-replicas-to-write).'],
  MISCONF: [unavailable, 'the server cannot save to its disk and refuses writes.'],
  OOM: [unavailable, 'the server is full (maxmemory). The record is as it was; give it memory, or let other keys be evicted.'],
  WRONGTYPE: [
    corrupt,
    'the key holds no string: it belongs to another program, and is left alone. Choose a keyPrefix of your own.',
  ],
  MOVED: [unsuitable, 'the server is part of a cluster. Give clientOptions.cluster, or a client of class Cluster.'],
  NOCLUSTER: [unsuitable, 'the server is not part of a cluster. Give its host and port, or a client of class Redis.'],
  NODATABASE: [unsuitable, 'the server has no such database. Give another number as clientOptions.db, or none.'],
  UNKNOWN: [unsuitable, 'the server does not know the command. Redis 6.2 or later, with scripts, is needed.'],
  MAXCLIENTS: [throttled, 'the server has too many clients.'],
};

/**
 * Turns an error of Redis or of the connection into one that says what it means for a token, and what to do. Errors that
 * are ours already pass through.
 */
export function mapError(error: unknown, attempt: Attempt): unknown {
  if (TokenryError.is(error) || !(error instanceof Error)) return error;
  const reply = replyOf(error) ?? (attempt.connectionError && replyOf(attempt.connectionError));
  const failed = `Could not ${attempt.doing}`;
  if (reply !== undefined) {
    const [translate, advice] = REPLIES[reply] ?? [unavailable, 'the server answered with an error.'];
    return translate(`${failed} (${reply}): ${advice}`, { cause: withoutArguments(error) });
  }
  const cause = attempt.connectionError ?? error;
  const reason = codeOf(cause) ?? plainMessage(cause);
  return new BackendUnavailableError(`${failed} (${reason}): Redis cannot be reached, or did not answer in time.`, {
    cause: withoutArguments(cause),
  });
}

/** The kind of an error reply, also one that a script or a sentinel passed on; `undefined` for errors that are none. */
function replyOf(error: Error): string | undefined {
  const text = error.message;
  if (/^ERR unknown (sub)?command/i.test(text)) return 'UNKNOWN';
  if (/^ERR max number of clients/i.test(text)) return 'MAXCLIENTS';
  if (/^ERR This instance has cluster support disabled/.test(text)) return 'NOCLUSTER';
  if (/^ERR (DB index is out of range|invalid DB index|SELECT is not allowed)/.test(text)) return 'NODATABASE';
  // What a script may not do is told in words of its own (Redis 7.0; 7.2 says "ACL failure in script").
  if (/^ERR (The user executing the script can't|ACL failure in script)/.test(text)) return 'NOPERM';
  const first = /^-?([A-Z]{2,})\b/.exec(text)?.[1];
  if (first !== undefined && first !== 'ERR' && Object.hasOwn(REPLIES, first)) return first;
  // Before Redis 7 an error inside a script came as "ERR Error running script (…): @user_script: 3: -READONLY …"; clients
  // of sentinels and clusters quote the last error they met.
  const quoted = /(?:-|Last error: |because )([A-Z]{3,})\b/.exec(text)?.[1];
  if (quoted !== undefined && Object.hasOwn(REPLIES, quoted)) return quoted;
  const { lastNodeError } = error as { readonly lastNodeError?: unknown };
  if (lastNodeError instanceof Error) return replyOf(lastNodeError);
  return first !== undefined && error.name === 'ReplyError' ? first : undefined;
}

function codeOf(error: Error): string | undefined {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string' && code !== '') return code;
  // All addresses of a host refused: what the first one said.
  const [first] = error instanceof AggregateError ? error.errors : [];
  return first instanceof Error ? codeOf(first) : undefined;
}

/** ioredis keeps the arguments of the command on the error, and Redis quotes those of an unknown command: they hold tokens. */
function withoutArguments(error: Error): Error {
  const copy = Object.assign(new Error(plainMessage(error)), { name: error.name });
  const code = codeOf(error);
  return code === undefined ? copy : Object.assign(copy, { code });
}

function plainMessage(error: Error): string {
  return error.message.replace(/,? with args beginning with:.*$/s, '').slice(0, 300);
}
