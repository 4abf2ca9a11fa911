import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import { CapabilityError, inTime, sleep, systemClock, untilAborted, VersionConflictError } from '@tokenry/core/backend';
import type { Connected, Connection } from './connection.js';
import { mapError, type SdkError } from './map-error.js';
import type { ResolvedOptions } from './options.js';

export interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}
export type Condition = { readonly IfMatch: string } | { readonly IfNoneMatch: '*' } | Record<string, never>;
export interface StoredObject {
  readonly data: Uint8Array;
  readonly version: string;
}

/** S3 answers 409 while a rival's write is under way, and says to send the same again. */
const RIVALRY = { attempts: 8, baseMs: 20, capMs: 500 };

/** The objects of one bucket: one method per request, with errors that say what they mean. */
export class Bucket {
  readonly #connection: Connection;
  readonly #options: ResolvedOptions;

  constructor(connection: Connection, options: ResolvedOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** `undefined`: there is no such object. With `ifNotVersion`, nothing is sent when it is still that one. */
  get(name: string, { signal, ifNotVersion }: SignalOption & { readonly ifNotVersion?: string | undefined } = {}) {
    return this.#request('read', name, signal, async ({ sdk, client }, input, abort) => {
      const condition = ifNotVersion === undefined ? {} : { IfNoneMatch: ifNotVersion };
      try {
        const { Body, ETag } = await client.send(new sdk.GetObjectCommand({ ...input, ...condition }), abort);
        return { data: await bytesOf(Body, abort.abortSignal), version: versionOf(ETag) };
      } catch (error) {
        if (statusOf(error) === 304) return 'not-modified' as const;
        if (nameOf(error) === 'NoSuchKey') return undefined;
        throw error;
      }
    });
  }

  /**
   * Writes an object if the condition is met; resolves to its version.
   * @throws VersionConflictError when the condition is not met.
   */
  put(name: string, data: Uint8Array, { signal, condition = {} }: SignalOption & { readonly condition?: Condition } = {}) {
    return this.#request('save', name, signal, async ({ sdk, client }, input, abort, wasSentBefore) => {
      const command: PutObjectCommandInput = { ...input, ...this.#options.encryptionInput, ...condition, Body: data };
      try {
        return versionOf((await client.send(new sdk.PutObjectCommand(command), abort)).ETag);
      } catch (error) {
        // If-Match on nothing: what was expected to be there was removed.
        if (nameOf(error) === 'NoSuchKey') throw new VersionConflictError(name, { cause: error });
        const own =
          nameOf(error) === 'PreconditionFailed' && wasSentBefore(error) ? await this.#own(name, data, signal) : undefined;
        if (own === undefined) throw error;
        return own;
      }
    });
  }

  /** Removes an object; with `ifMatch` only that version, and `undefined` means that it is not there. */
  delete(name: string, { signal, ifMatch }: SignalOption & { readonly ifMatch?: string } = {}): Promise<true | undefined> {
    return this.#request('remove', name, signal, async ({ sdk, client }, input, abort, wasSentBefore) => {
      try {
        await client.send(new sdk.DeleteObjectCommand(ifMatch === undefined ? input : { ...input, IfMatch: ifMatch }), abort);
        return true;
      } catch (error) {
        // When an earlier attempt was made and its answer lost, it is we who removed it.
        if (nameOf(error) === 'NoSuchKey') return wasSentBefore(error) || undefined;
        throw error;
      }
    });
  }

  /** The names of all objects directly in the folder, a thousand per request. */
  async *names({ signal }: SignalOption = {}): AsyncIterable<string> {
    const { folder } = this.#options;
    let token: string | undefined;
    do {
      const page = await this.#request('list', folder, signal, ({ sdk, client }, { Bucket, ExpectedBucketOwner }, abort) => {
        // Other programs' keys may hold characters that XML cannot; as URLs they can be told apart.
        const input = { Bucket, Prefix: folder, Delimiter: '/', EncodingType: 'url' } as const;
        const owner = ExpectedBucketOwner === undefined ? {} : { ExpectedBucketOwner };
        const next = token === undefined ? {} : { ContinuationToken: token };
        return client.send(new sdk.ListObjectsV2Command({ ...input, ...owner, ...next }), abort);
      });
      for (const { Key } of page.Contents ?? []) {
        const key = Key === undefined ? undefined : decodeKey(Key);
        if (key?.startsWith(folder) && key.length > folder.length) yield key.slice(folder.length);
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async #request<T>(
    verb: string,
    name: string,
    signal: AbortSignal | undefined,
    send: (
      connected: Connected,
      input: { readonly Bucket: string; readonly Key: string; readonly ExpectedBucketOwner?: string },
      abort: { readonly abortSignal: AbortSignal },
      wasSentBefore: (error: unknown) => boolean,
    ) => Promise<T>,
  ): Promise<T> {
    const { folder, bucketInput, bucketName, timeoutMs } = this.#options;
    const input = { ...bucketInput, Key: folder + name };
    const doing = `${verb} "${verb === 'list' ? folder : input.Key}" in the bucket "${bucketName}"`;
    // The rival that a 409 tells of may be our own first attempt, whose answer was lost.
    let wasLost = false;
    const wasSentBefore = (error: unknown) => wasLost || wasRepeated(error);
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        const sending = async (abortSignal: AbortSignal) =>
          send(await this.#connection.open(), input, { abortSignal }, wasSentBefore);
        return await inTime(sending, { timeoutMs, signal });
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        if (!isRivalry(error) || attempt === RIVALRY.attempts) throw mapError(error, { doing, bucketName, name });
        wasLost ||= wasRepeated(error);
      }
      const waitMs = Math.random() * Math.min(RIVALRY.capMs, RIVALRY.baseMs * 2 ** attempt);
      await sleep(systemClock, waitMs, { signal, hold: true });
    }
  }

  // The SDK repeated a write whose first answer was lost; what the repetition met may be our own bytes.
  async #own(name: string, data: Uint8Array, signal: AbortSignal | undefined): Promise<string | undefined> {
    const found = await this.get(name, { signal });
    if (found === undefined || found === 'not-modified') return undefined;
    return Buffer.from(found.data).equals(data) ? found.version : undefined;
  }
}

const nameOf = (error: unknown): string | undefined => (error instanceof Error ? error.name : undefined);
const statusOf = (error: unknown): number | undefined => (error as SdkError).$metadata?.httpStatusCode;
const wasRepeated = (error: unknown): boolean => ((error as SdkError).$metadata?.attempts ?? 1) > 1;
const isRivalry = (error: unknown): boolean => /^(ConditionalRequestConflict|OperationAborted)$/.test(nameOf(error) ?? '');

function versionOf(etag: string | undefined): string {
  if (etag !== undefined && etag !== '') return etag;
  throw new CapabilityError('This store gives its objects no ETag: nothing can be compared. Use another store.');
}

interface Body {
  transformToByteArray(): Promise<Uint8Array>;
}

// The SDK lets go of the signal once the headers are there.
async function bytesOf(body: Body | undefined, signal: AbortSignal): Promise<Uint8Array> {
  if (!body) return new Uint8Array();
  const cut = () => (body as { destroy?(): void }).destroy?.();
  signal.addEventListener('abort', cut, { once: true });
  return untilAborted(body.transformToByteArray(), signal).finally(() => signal.removeEventListener('abort', cut));
}

function decodeKey(key: string): string | undefined {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
