import type { SecretsManagerClient, SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import {
  type BaseTokenBackendOptions,
  type ClientKind,
  checkClient,
  checkTimeout,
  encodeName,
  invalidArgument,
  outOfRange,
} from '@tokenry/core/backend';

export interface SecretsManagerTokenBackendOptions extends BaseTokenBackendOptions {
  /** The secret that holds the default record, unless there is a `keyPrefix`. @default 'o365_token.txt' */
  readonly secretName?: string;
  /** Put before the names of the secrets of all other token keys, literally, such as `prod/tokens/`. @default `secretName` + `/` */
  readonly prefix?: string;
  /** A client of yours; it is never closed here. @default one built from `clientOptions` */
  readonly client?: SecretsManagerClient;
  /**
   * For a client of ours: `region` (python-o365's `region_name`), credentials, endpoint and whatever else
   * `SecretsManagerClient` takes. Without it the vendor's default chains find region and credentials.
   */
  readonly clientOptions?: SecretsManagerClientConfig;
  /** For how long one request may last, the SDK's repetitions included, whoever made the client. @default 30_000 */
  readonly timeoutMs?: number;
  /** KMS key for secrets that are made here: id, ARN or alias. @default the account's key `aws/secretsmanager` */
  readonly kmsKeyId?: string;
  /** Tags for secrets that are made here. @default none */
  readonly tags?: Readonly<Record<string, string>>;
  /** `deleteToken()` removes the secret at once and for ever, as python-o365 does. @default false */
  readonly forceDeleteWithoutRecovery?: boolean;
  /** Days, 7 to 30, in which a deleted secret can be restored. @default 30, the vendor's */
  readonly recoveryWindowInDays?: number;
  /**
   * The vendor advises against more than one sustained write of a secret per ten minutes. Within this time of the last one,
   * refreshes that bring only access tokens wait in memory for the next write. 0: every refresh is written at once; `Infinity`:
   * they are written only along with others.
   * @default 600_000
   */
  readonly minimumWriteIntervalMs?: number;
}

/** Names of the options that this backend adds to those of every backend. */
export const OWN_OPTIONS = [
  'secretName',
  'prefix',
  'client',
  'clientOptions',
  'timeoutMs',
  'kmsKeyId',
  'tags',
  'forceDeleteWithoutRecovery',
  'recoveryWindowInDays',
  'minimumWriteIntervalMs',
] as const;

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_SECRET_NAME = 'o365_token.txt';
const TEN_MINUTES = 600_000;
const MAX_NAME = 512;
/** Record names take up to 300 of them; the default record's, which is taken literally, may be longer. */
const MAX_PREFIX = 200;
/** docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html, Name. */
const NAME = /^[A-Za-z0-9/_+=.@-]+$/;

export interface ResolvedOptions {
  readonly defaultTokenKey: string;
  readonly minimumWriteIntervalMs: number;
  readonly timeoutMs: number;
  readonly prefix: string;
  /** Literal name of the default record's secret. */
  readonly secretName: string;
  /** What new secrets are made with. */
  readonly creation: { readonly KmsKeyId?: string; readonly Tags?: { readonly Key: string; readonly Value: string }[] };
  readonly deletion: { readonly ForceDeleteWithoutRecovery?: true; readonly RecoveryWindowInDays?: number };
}

/** Checks this backend's own options and fills in the defaults. */
export function resolveOptions(options: SecretsManagerTokenBackendOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null)
    throw invalidArgument('SecretsManagerTokenBackend: options must be an object, such as { secretName: "prod/o365-token" }.');
  checkClient(options, CLIENT);
  checkEndpoint(options.clientOptions);
  const { minimumWriteIntervalMs = TEN_MINUTES } = options;
  if (typeof minimumWriteIntervalMs !== 'number' || !(minimumWriteIntervalMs >= 0))
    throw outOfRange('minimumWriteIntervalMs must be a number of milliseconds, 0 or more.');
  const timeoutMs = checkTimeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  return { ...names(options), minimumWriteIntervalMs, timeoutMs, creation: creation(options), deletion: deletion(options) };
}

const CLIENT: ClientKind = {
  methods: ['send'],
  client: 'a SecretsManagerClient, such as new SecretsManagerClient({ region: "eu-west-1" })',
  clientOptions: '{ region: "eu-west-1" }',
};

function checkEndpoint({ endpoint }: { readonly endpoint?: unknown } = {}): void {
  // The SDK would say so of each request, or take another address. Endpoints in parts, or that are asked for, are its own affair.
  if (endpoint instanceof URL || (typeof endpoint === 'string' && endpoint !== '' && !isHttpUrl(endpoint)))
    throw invalidArgument('clientOptions.endpoint must be a string that begins with http:// or https://, and a valid URL.');
}

const isHttpUrl = (text: string): boolean => /^https?:\/\//i.test(text) && URL.canParse(text);

function names({ secretName, prefix, defaultTokenKey, keyPrefix }: SecretsManagerTokenBackendOptions) {
  const name = checkName(secretName ?? defaultTokenKey ?? DEFAULT_SECRET_NAME, 'secretName');
  const before = checkName(prefix ?? `${name}/`, 'prefix');
  if (before.length > MAX_PREFIX)
    throw outOfRange(`prefix is longer than ${MAX_PREFIX} characters: no room is left for the names of records.`);
  if (secretName !== undefined && defaultTokenKey !== undefined && secretName !== defaultTokenKey)
    throw invalidArgument('secretName and defaultTokenKey both name the default record: give one of them.');
  // A default secret behind the prefix goes by what follows it, so that no other token key can mean the same secret.
  const behind = name.startsWith(before) && name.length > before.length;
  const key = behind ? name.slice(before.length) : name;
  // As the record is named under a key prefix; what is no string is refused later.
  const long = keyPrefix && typeof keyPrefix === 'string' ? before.length + encodeName(keyPrefix).length + key.length : 0;
  if (long > MAX_NAME)
    throw outOfRange(`prefix, keyPrefix and secretName make a name of ${long} characters; at most ${MAX_NAME} are allowed.`);
  return { secretName: name, prefix: before, defaultTokenKey: key };
}

function creation({ kmsKeyId, tags }: SecretsManagerTokenBackendOptions): ResolvedOptions['creation'] {
  if (kmsKeyId !== undefined && (typeof kmsKeyId !== 'string' || kmsKeyId === ''))
    throw invalidArgument('kmsKeyId must be the id, ARN or alias of a KMS key.');
  const given = Object.entries(tags ?? {});
  if (
    typeof (tags ?? {}) !== 'object' ||
    Array.isArray(tags) ||
    given.some(([key, value]) => key === '' || typeof value !== 'string')
  )
    throw invalidArgument('tags must be an object of strings.');
  return {
    ...(kmsKeyId === undefined ? {} : { KmsKeyId: kmsKeyId }),
    ...(given.length === 0 ? {} : { Tags: given.map(([Key, Value]) => ({ Key, Value })) }),
  };
}

function deletion(options: SecretsManagerTokenBackendOptions): ResolvedOptions['deletion'] {
  const { forceDeleteWithoutRecovery = false, recoveryWindowInDays: days } = options;
  // Text from the environment, such as "false", must not delete for ever.
  if (typeof forceDeleteWithoutRecovery !== 'boolean') throw invalidArgument('forceDeleteWithoutRecovery must be true or false.');
  if (days !== undefined && (!Number.isInteger(days) || days < 7 || days > 30))
    throw outOfRange('recoveryWindowInDays must be an integer of 7 to 30.');
  if (forceDeleteWithoutRecovery && days !== undefined)
    throw invalidArgument('forceDeleteWithoutRecovery leaves no recoveryWindowInDays: give one of them.');
  if (forceDeleteWithoutRecovery) return { ForceDeleteWithoutRecovery: true };
  return days === undefined ? {} : { RecoveryWindowInDays: days };
}

function checkName(value: unknown, option: string): string {
  if (typeof value === 'string' && NAME.test(value) && value.length <= MAX_NAME) return value;
  throw invalidArgument(`${option} must be the name of a secret: letters, digits and /_+=.@- only.`);
}
