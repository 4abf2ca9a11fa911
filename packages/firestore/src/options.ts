import type { Settings } from '@google-cloud/firestore';
import { type BaseTokenBackendOptions, type ClientKind, checkClient, checkTimeout, invalidArgument } from '@tokenry/core/backend';

/**
 * A client that somebody else made and closes: `new Firestore()` of `@google-cloud/firestore`, or what `getFirestore()` of
 * `firebase-admin` gives. Structural, because the two may bring different copies of that class.
 */
export interface InjectedFirestore {
  collection(collectionPath: string): object;
  getAll(...documents: never[]): Promise<unknown>;
}

export interface FirestoreTokenBackendOptions extends BaseTokenBackendOptions {
  /**
   * The collection that holds the records, one document each: a name, or a path such as `tenants/contoso/tokens`. A
   * collection of its own: each of its documents counts as a record in listings.
   */
  readonly collection: string;
  /**
   * Name of the default record's document, at most 256 bytes, after an encoded `keyPrefix` if there is one; it is also the
   * default token key.
   * @default 'o365_token'
   */
  readonly docId?: string;
  /** The field that holds the record's text, at most 1400 bytes. Other fields of a document stay as they are. @default 'token' */
  readonly fieldName?: string;
  /** A client to use; it is never terminated. @default one is made from `clientOptions` by the first call */
  readonly client?: InjectedFirestore;
  /**
   * Settings of the client that is made: `projectId`, `databaseId`, `keyFilename`, `credentials`, … Without credentials
   * Google's Application Default Credentials are used.
   */
  readonly clientOptions?: Settings;
  /** For how long one operation may last, repetitions included. @default 10_000 */
  readonly timeoutMs?: number;
}

/** Names of the options that this backend adds to those of every backend. */
export const OWN_OPTIONS = ['collection', 'docId', 'fieldName', 'client', 'clientOptions', 'timeoutMs'] as const;

/** When a lease document may be swept; the one field besides the record's own that is ever written. */
export const EXPIRY_FIELD = 'expiresAt';

const DEFAULT_DOC_ID = 'o365_token';
const DEFAULT_FIELD_NAME = 'token';
const DEFAULT_TIMEOUT_MS = 10_000;
/** Of document ids (cloud.google.com/firestore/quotas#collections_documents_and_fields). */
const MAX_NAME_BYTES = 1_500;
/** The server allows as much to the path of a field, which is a little longer than its name. */
const MAX_FIELD_NAME_BYTES = 1_400;

export interface ResolvedOptions {
  readonly collection: string;
  readonly defaultTokenKey: string;
  readonly fieldName: string;
  readonly timeoutMs: number;
}

/** Checks this backend's own options and fills in the defaults. */
export function resolveOptions(options: FirestoreTokenBackendOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null)
    throw invalidArgument('FirestoreTokenBackend: options must be an object, such as { collection: "tokens" }.');
  const { docId, defaultTokenKey } = options;
  if (docId !== undefined && defaultTokenKey !== undefined && docId !== defaultTokenKey)
    throw invalidArgument('docId and defaultTokenKey both name the default record: give one of them.');
  checkClient(options, CLIENT);
  checkSettings(options.clientOptions);
  return {
    collection: checkCollection(options.collection),
    defaultTokenKey: checkDocId(docId ?? defaultTokenKey ?? DEFAULT_DOC_ID),
    fieldName: checkFieldName(options.fieldName ?? DEFAULT_FIELD_NAME),
    timeoutMs: checkTimeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS),
  };
}

const CLIENT: ClientKind = {
  methods: ['collection', 'getAll'],
  client: 'a Firestore instance, such as new Firestore() or getFirestore() of firebase-admin',
  clientOptions: '{ projectId: "my-project" }',
};

/** What the SDK would say only when the first call makes the client. */
function checkSettings(clientOptions: FirestoreTokenBackendOptions['clientOptions'] = {}): void {
  const { projectId, databaseId, ssl } = clientOptions as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries({ projectId, databaseId }))
    if (value !== undefined && typeof value !== 'string') throw invalidArgument(`clientOptions.${name} must be a string.`);
  if (ssl !== undefined && typeof ssl !== 'boolean') throw invalidArgument('clientOptions.ssl must be true or false.');
}

function checkCollection(collection: unknown): string {
  if (typeof collection !== 'string' || collection === '')
    throw invalidArgument('collection is required: the name of the collection that holds the tokens, such as "tokens".');
  const segments = collection.split('/');
  if (segments.length % 2 === 0 || !segments.every(isName))
    throw invalidArgument(
      `collection "${collection}" is no collection: it has an odd number of names between slashes, none of them empty, ".", ".." or __like_this__.`,
    );
  return collection;
}

function checkDocId(docId: unknown): string {
  if (typeof docId !== 'string' || docId.includes('/') || !isName(docId))
    throw invalidArgument('docId must be the name of a document: not empty, without "/", not ".", ".." or __like_this__.');
  return docId;
}

function checkFieldName(fieldName: unknown): string {
  if (typeof fieldName === 'string' && Buffer.byteLength(fieldName) > MAX_FIELD_NAME_BYTES)
    throw invalidArgument(`fieldName is longer than ${MAX_FIELD_NAME_BYTES} bytes: its path in a document would be too long.`);
  if (typeof fieldName !== 'string' || !isName(fieldName) || /[.~*/[\]`\\]/.test(fieldName))
    throw invalidArgument('fieldName must be the name of a top-level field, without any of . ~ * / [ ] ` and backslash.');
  // The SDK takes what it inherits for a field of the document.
  if (fieldName in Object.prototype)
    throw invalidArgument(`fieldName "${fieldName}" is a name that every JavaScript object has: the SDK saves no such field.`);
  if (fieldName === EXPIRY_FIELD)
    throw invalidArgument(`fieldName "${EXPIRY_FIELD}" is taken: it says when a lease document may be swept.`);
  return fieldName;
}

function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/^__.*__$/.test(name) && Buffer.byteLength(name) <= MAX_NAME_BYTES;
}
