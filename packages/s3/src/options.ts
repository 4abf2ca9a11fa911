import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import {
  type BaseTokenBackendOptions,
  type ClientKind,
  checkClient,
  checkTimeout,
  encodeName,
  invalidArgument,
} from '@tokenry/core/backend';

export interface S3TokenBackendOptions extends BaseTokenBackendOptions {
  /** The bucket, which must exist. */
  readonly bucketName: string;
  /**
   * Name of the default record's object after `prefix`; its last part is also the default token key. A name with `/` puts
   * the other records into the same folder.
   * @default 'o365_token.txt'
   */
  readonly filename?: string;
  /** Put before the key of every object, literally, such as `tokens/`. @default '' */
  readonly prefix?: string;
  /** A client of yours; it is never closed here. @default one built from `clientOptions` */
  readonly client?: S3Client;
  /**
   * For a client of ours: region, credentials, endpoint, `forcePathStyle` and whatever else `S3Client` takes. Without it
   * the vendor's default chains find region and credentials.
   */
  readonly clientOptions?: S3ClientConfig;
  /** For how long one request may last, the SDK's repetitions included, whoever made the client. @default 30_000 */
  readonly timeoutMs?: number;
  /** How new objects are encrypted by the store. @default the bucket's own setting */
  readonly serverSideEncryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
  /** Key for `aws:kms`: id, ARN or alias. @default the account's key for S3 */
  readonly kmsKeyId?: string;
  /** Twelve digits; every request is refused when the bucket belongs to another account. @default nobody checks */
  readonly expectedBucketOwner?: string;
  /**
   * For stores that ignore conditions on writes: sends none, so that of two processes saving at once the last one wins.
   * Give `leases` of another store with it, and tokens are still compared before they are written. @default false
   */
  readonly lastWriterWins?: boolean;
}

/** Names of the options that this backend adds to those of every backend. */
export const OWN_OPTIONS = [
  'bucketName',
  'filename',
  'prefix',
  'client',
  'clientOptions',
  'timeoutMs',
  'serverSideEncryption',
  'kmsKeyId',
  'expectedBucketOwner',
  'lastWriterWins',
] as const;

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_FILENAME = 'o365_token.txt';
/** docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html. */
const MAX_KEY_BYTES = 1_024;
/** Record names take up to 200 of them; the default record's, which is taken literally, may be longer. */
const MAX_FOLDER_BYTES = 800;
/** Unicode's general category Cc. */
const CONTROL = /\p{Cc}/u;
const ENCRYPTIONS = ['AES256', 'aws:kms', 'aws:kms:dsse'];

export interface ResolvedOptions {
  readonly bucketName: string;
  /** What comes before every record name. */
  readonly folder: string;
  readonly defaultTokenKey: string;
  readonly timeoutMs: number;
  /** Goes with every request. */
  readonly bucketInput: { readonly Bucket: string; readonly ExpectedBucketOwner?: string };
  /** Goes with every write. */
  readonly encryptionInput: {
    readonly ServerSideEncryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse';
    readonly SSEKMSKeyId?: string;
  };
}

/** Checks this backend's own options and fills in the defaults. */
export function resolveOptions(options: S3TokenBackendOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null)
    throw invalidArgument('S3TokenBackend: options must be an object, such as { bucketName: "my-tokens" }.');
  const bucketName = checkText(options.bucketName, 'bucketName');
  checkClient(options, CLIENT);
  checkEndpoint(options.clientOptions);
  if (options.lastWriterWins !== undefined && typeof options.lastWriterWins !== 'boolean')
    throw invalidArgument('lastWriterWins must be true or false.');
  const owner = options.expectedBucketOwner;
  if (owner !== undefined && !/^\d{12}$/.test(checkText(owner, 'expectedBucketOwner')))
    throw invalidArgument('expectedBucketOwner must be the twelve digits of an AWS account, as a string.');
  return {
    bucketName,
    ...place(options),
    timeoutMs: checkTimeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS),
    bucketInput: { Bucket: bucketName, ...(owner === undefined ? {} : { ExpectedBucketOwner: owner }) },
    encryptionInput: encryption(options),
  };
}

const CLIENT: ClientKind = {
  methods: ['send'],
  client: 'an S3Client, such as new S3Client({ region: "eu-west-1" })',
  clientOptions: '{ region: "eu-west-1" }',
};

function checkEndpoint({ endpoint }: { readonly endpoint?: unknown } = {}): void {
  // The SDK would say so of each request. Endpoints in parts, or that are asked for, are its own affair.
  if (endpoint instanceof URL || (typeof endpoint === 'string' && endpoint !== '' && !isHttpUrl(endpoint)))
    throw invalidArgument('clientOptions.endpoint must be a string that begins with http:// or https://, and a valid URL.');
}

const isHttpUrl = (text: string): boolean => /^https?:\/\//i.test(text) && URL.canParse(text);

function place({ filename = DEFAULT_FILENAME, prefix = '', defaultTokenKey, keyPrefix }: S3TokenBackendOptions) {
  checkText(filename, 'filename');
  if (typeof prefix !== 'string') throw invalidArgument('prefix must be a string.');
  if (!(prefix + filename).isWellFormed())
    throw invalidArgument('prefix or filename holds half a character (a lone surrogate), which no object key can.');
  // What a store answers is XML 1.0, which cannot hold most of them: the SDK would report an outage.
  if (CONTROL.test(prefix + filename)) throw invalidArgument('prefix and filename must not hold control characters.');
  const slash = filename.lastIndexOf('/') + 1;
  const [folder, last] = [prefix + filename.slice(0, slash), filename.slice(slash)];
  if (last === '') throw invalidArgument('filename ends in "/": it names a folder. Put folders into prefix.');
  if (folder.startsWith('/') || `${folder}${last}`.split('/').some((part) => part === '.' || part === '..'))
    throw invalidArgument('An object key with a leading "/", or with "." or ".." between slashes, is not safe in URLs.');
  if (Buffer.byteLength(folder) > MAX_FOLDER_BYTES)
    throw invalidArgument(`prefix is longer than ${MAX_FOLDER_BYTES} bytes: no room is left for the names of records.`);
  if (defaultTokenKey !== undefined && defaultTokenKey !== last)
    throw invalidArgument('filename and defaultTokenKey both name the default record: give one of them.');
  // As the record is named; what is no string is refused later.
  const key = folder + (typeof keyPrefix === 'string' ? encodeName(keyPrefix) : '') + last;
  if (Buffer.byteLength(key) > MAX_KEY_BYTES)
    throw invalidArgument(
      `prefix, keyPrefix and filename make a key of ${Buffer.byteLength(key)} bytes; at most ${MAX_KEY_BYTES} are allowed.`,
    );
  return { folder, defaultTokenKey: last };
}

function encryption({ serverSideEncryption, kmsKeyId }: S3TokenBackendOptions): ResolvedOptions['encryptionInput'] {
  if (serverSideEncryption !== undefined && !ENCRYPTIONS.includes(serverSideEncryption))
    throw invalidArgument(`serverSideEncryption must be one of ${ENCRYPTIONS.join(', ')}.`);
  if (kmsKeyId === undefined) return serverSideEncryption ? { ServerSideEncryption: serverSideEncryption } : {};
  if (serverSideEncryption === undefined || serverSideEncryption === 'AES256')
    throw invalidArgument('kmsKeyId needs serverSideEncryption: "aws:kms".');
  return { ServerSideEncryption: serverSideEncryption, SSEKMSKeyId: checkText(kmsKeyId, 'kmsKeyId') };
}

function checkText(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw invalidArgument(`${name} must be a string that is not empty.`);
  return value;
}
