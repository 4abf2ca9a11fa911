import type { DocumentReference, DocumentSnapshot, Firestore, QueryDocumentSnapshot } from '@google-cloud/firestore';
import {
  BaseTokenBackend,
  type ReadOptions,
  type RemoveOptions,
  type StoredRecord,
  systemClock,
  untilAborted,
  VersionConflictError,
  type WriteOptions,
} from '@tokenry/core/backend';
import { type AttemptState, attempt } from './attempt.js';
import { FirestoreSource, type Sdk } from './firestore-source.js';
import { statusOf } from './grpc-status.js';
import { type Attempt, isSilence, mapError } from './map-error.js';
import { EXPIRY_FIELD, type FirestoreTokenBackendOptions, OWN_OPTIONS, resolveOptions } from './options.js';
import { bytesOf, docIdOf, fieldValueOf, MAX_RECORD_BYTES, recordNameOf, updateTimeOf, versionOf } from './record-document.js';

/** Documents per request of a listing. */
const PAGE = 500;
/**
 * Far beyond any lease, because the sweeper goes by the server's clock and this by ours: clocks may differ by a day before it
 * sweeps a lease that is held.
 */
const SWEEP_AFTER_MS = 24 * 3_600_000;

interface Write {
  readonly ref: DocumentReference;
  readonly name: string;
  readonly fields: Record<string, unknown>;
  readonly state: AttemptState;
}

/**
 * Keeps records in Google Cloud Firestore, shared by any number of machines: one document per record, compared and saved by the
 * server in one step.
 *
 * The document `docId` is the default record, in the very form of python-o365's `FirestoreBackend`: its JSON text in the
 * field `fieldName`. Other token keys are documents beside it; other fields of a document are left alone.
 *
 * @example
 * ```ts
 * const tokenBackend = new FirestoreTokenBackend({ collection: 'tokens' });
 * ```
 */
export class FirestoreTokenBackend extends BaseTokenBackend {
  readonly #source: FirestoreSource;
  readonly #collection: string;
  readonly #fieldName: string;
  readonly #timeoutMs: number;
  readonly #now: () => number;

  /**
   * Asks nothing of Firestore; the first call loads the SDK and makes the client.
   * @throws TypeError or RangeError for an unknown or unsuitable option.
   */
  constructor(options: FirestoreTokenBackendOptions) {
    const { collection, defaultTokenKey, fieldName, timeoutMs } = resolveOptions(options);
    super(
      {
        capabilities: {
          conditionalWrites: true,
          leases: true,
          list: true,
          durable: true,
          shared: true,
          maxRecordBytes: MAX_RECORD_BYTES,
        },
        // Not the project: it may come from the environment of each machine, and leases lie in the collection anyway.
        id: `firestore:${collection}`,
        options: OWN_OPTIONS,
      },
      { ...options, defaultTokenKey },
    );
    const { client, clientOptions, clock = systemClock } = options;
    this.#source = new FirestoreSource({ client: client as Firestore | undefined, settings: { ...clientOptions }, timeoutMs });
    this.#collection = collection;
    this.#fieldName = fieldName;
    this.#timeoutMs = timeoutMs;
    this.#now = () => clock.now();
  }

  protected readRecord(name: string, { ifNotVersion, signal }: ReadOptions): Promise<StoredRecord | 'not-modified' | undefined> {
    return this.#attempt({ verb: 'read', name }, signal, async (sdk) => {
      const snapshot = await this.#readField(sdk, this.#ref(sdk, name));
      const value: unknown = snapshot.get(this.#fieldName);
      // Somebody else's document, or what is left of one: it holds no record.
      if (value === undefined || !snapshot.updateTime) return undefined;
      const version = versionOf(snapshot.updateTime);
      return version === ifNotVersion ? 'not-modified' : { data: bytesOf(value, name), version };
    });
  }

  protected writeRecord(name: string, data: Uint8Array, { expect, signal }: WriteOptions): Promise<string> {
    const fields = { [this.#fieldName]: fieldValueOf(data), ...this.#expiry(name) };
    const what = { verb: 'save', name, bytes: data.byteLength, conditional: expect !== 'anything' } as const;
    return this.#attempt(what, signal, async (sdk, state) => {
      const write = { ref: this.#ref(sdk, name), name, fields, state };
      if (expect === 'anything') {
        const { writeTime } = await write.ref.set(fields, { mergeFields: Object.keys(fields) });
        return versionOf(writeTime);
      }
      return expect === 'absent' ? this.#create(sdk, write) : this.#update(sdk, write, expect.version);
    });
  }

  protected removeRecord(name: string, { expect, signal }: RemoveOptions): Promise<boolean> {
    let sent = false;
    return this.#attempt({ verb: 'remove', name, conditional: expect !== 'anything' }, signal, async (sdk, state) => {
      const ref = this.#ref(sdk, name);
      for (;;) {
        const snapshot = await ref.get();
        const { updateTime: lastUpdateTime } = snapshot;
        // A removal that was sent and got no answer may have been the one that removed it.
        if (!lastUpdateTime || snapshot.get(this.#fieldName) === undefined) return sent;
        if (expect !== 'anything' && versionOf(lastUpdateTime) !== expect.version) throw new VersionConflictError(name);
        state.signal.throwIfAborted();
        sent = true;
        try {
          if (this.#isOnlyOurs(snapshot, name)) await ref.delete({ lastUpdateTime });
          else await ref.update({ [this.#fieldName]: sdk.FieldValue.delete() }, { lastUpdateTime });
          return true;
        } catch (error) {
          // Changed between our read and our removal: the next look tells whether it is gone, or is what we expected no more.
          if (!isConflict(error)) throw error;
          sent = false;
        }
      }
    });
  }

  protected override async *listRecords({ signal }: { readonly signal?: AbortSignal }): AsyncIterable<string> {
    let last: QueryDocumentSnapshot | undefined;
    do {
      const page = await this.#attempt({ verb: 'list' }, signal, ({ firestore }) => {
        const names = firestore.collection(this.#collection).select().limit(PAGE);
        return (last ? names.startAfter(last) : names).get();
      });
      for (const { id } of page.docs) yield recordNameOf(id);
      last = page.size === PAGE ? page.docs.at(-1) : undefined;
    } while (last);
  }

  protected override closeResources(): Promise<void> {
    return this.#source.close();
  }

  /** Creates the document, or adds the record to one that has other fields only. */
  async #create(sdk: Sdk, write: Write): Promise<string> {
    try {
      return versionOf((await write.ref.create(write.fields)).writeTime);
    } catch (error) {
      if (statusOf(error) !== 'ALREADY_EXISTS') throw error;
      const found = await this.#readField(sdk, write.ref);
      if (found.get(this.#fieldName) !== undefined || !found.updateTime) return this.#madeBefore(write, found, error);
      write.state.signal.throwIfAborted();
      return versionOf((await write.ref.update(write.fields, { lastUpdateTime: found.updateTime })).writeTime);
    }
  }

  async #update(sdk: Sdk, write: Write, version: string): Promise<string> {
    const expected = updateTimeOf(version);
    if (!expected) throw new VersionConflictError(write.name);
    try {
      const lastUpdateTime = new sdk.Timestamp(...expected);
      return versionOf((await write.ref.update(write.fields, { lastUpdateTime })).writeTime);
    } catch (error) {
      if (!isConflict(error) || !write.state.repeated) throw error;
      return this.#madeBefore(write, await this.#readField(sdk, write.ref), error);
    }
  }

  /** A conflict with our own earlier attempt, whose answer was lost, is a success. */
  #madeBefore({ fields, state }: Write, found: DocumentSnapshot, conflict: unknown): string {
    const [stored, mine] = [found.get(this.#fieldName), fields[this.#fieldName]] as (string | Buffer | undefined)[];
    const same = stored !== undefined && mine !== undefined && Buffer.from(stored as string).equals(Buffer.from(mine as string));
    if (!state.repeated || !same || !found.updateTime) throw conflict;
    return versionOf(found.updateTime);
  }

  /** A sweeper's field for what need not outlive its use. */
  #expiry(name: string): Record<string, unknown> {
    return name.startsWith('=lease-') ? { [EXPIRY_FIELD]: new Date(this.#now() + SWEEP_AFTER_MS) } : {};
  }

  #isOnlyOurs(snapshot: DocumentSnapshot, name: string): boolean {
    const ours = [this.#fieldName, ...Object.keys(this.#expiry(name))];
    return Object.keys(snapshot.data() ?? {}).every((field) => ours.includes(field));
  }

  #ref({ firestore }: Sdk, name: string): DocumentReference {
    return firestore.collection(this.#collection).doc(docIdOf(name));
  }

  /** Reads no more of the document than the record. */
  async #readField({ firestore }: Sdk, ref: DocumentReference): Promise<DocumentSnapshot> {
    const [snapshot] = await firestore.getAll(ref, { fieldMask: [this.#fieldName] });
    if (!snapshot) throw new Error('Firestore answered a read with nothing.');
    return snapshot;
  }

  async #attempt<T>(
    what: Omit<Attempt, 'collection'>,
    signal: AbortSignal | undefined,
    call: (sdk: Sdk, state: AttemptState) => Promise<T>,
  ): Promise<T> {
    let used: Sdk | undefined;
    try {
      const usingClient = (state: AttemptState) =>
        this.#source.use(async (sdk) => {
          used = sdk;
          state.signal.throwIfAborted();
          return call(sdk, state);
        });
      await untilAborted(this.#source.ready(), signal);
      return await attempt(usingClient, { timeoutMs: this.#timeoutMs, signal });
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      if (used && (isSilence(error) || statusOf(error) === 'DEADLINE_EXCEEDED')) this.#source.replace(used);
      throw mapError(error, { ...what, collection: this.#collection });
    }
  }
}

function isConflict(error: unknown): boolean {
  const status = statusOf(error);
  return status === 'FAILED_PRECONDITION' || status === 'NOT_FOUND' || status === 'ALREADY_EXISTS';
}
