import type { FieldValue, Firestore, Settings, Timestamp } from '@google-cloud/firestore';
import { CapabilityError, inTime, sleep, systemClock } from '@tokenry/core/backend';
import { checkCredentials, type LowLevelClients } from './credentials.js';
import { reconnecting, sendingOnce } from './single-attempts.js';

/** A client, and the classes of the very copy of the SDK that made it: it refuses values of other copies. */
export interface Sdk {
  readonly firestore: Firestore;
  readonly Timestamp: typeof Timestamp;
  readonly FieldValue: typeof FieldValue;
}

type SdkModule = Pick<typeof import('@google-cloud/firestore'), 'Firestore' | 'Timestamp' | 'FieldValue'> & {
  /** All of the module, where it is one of CommonJS. */
  readonly default?: unknown;
};

export interface FirestoreSourceOptions {
  readonly client: Firestore | undefined;
  readonly settings: Settings;
  readonly timeoutMs: number;
}

/** One client in use, from before it is made until after it is terminated. */
interface Connection {
  readonly opening: Promise<Sdk>;
  readonly calls: Set<Promise<unknown>>;
  sdk?: Sdk;
}

/** Where the client comes from: injected, or made on first use and terminated on `close()`. */
export class FirestoreSource {
  readonly #options: FirestoreSourceOptions;
  #connection: Connection | undefined;
  #closed = false;

  constructor(options: FirestoreSourceOptions) {
    this.#options = options;
  }

  /** Runs `call` with the client, which is not terminated before the call has ended. */
  async use<T>(call: (sdk: Sdk) => Promise<T>): Promise<T> {
    const { opening, calls } = this.#open();
    const running = opening.then(call).finally(() => calls.delete(running));
    calls.add(running);
    return running;
  }

  /**
   * Makes the next call connect anew: a connection that was cut without a word stays silent for many minutes, until the
   * system gives it up.
   */
  replace(silent: Sdk): void {
    const connection = this.#connection;
    if (this.#options.client || !connection || connection.sdk !== silent) return;
    this.#connection = undefined;
    void terminate(connection);
  }

  /** Waits up to `timeoutMs` for calls that are under way, and terminates the client if it is ours. */
  async close(): Promise<void> {
    this.#closed = true;
    const { client, timeoutMs } = this.#options;
    if (!this.#connection) return;
    const ending = client ? idle(this.#connection) : terminate(this.#connection);
    await Promise.race([ending, sleep(systemClock, timeoutMs)]);
  }

  /** Loads the SDK and makes the client, if that is not done yet: a second on a slow machine, and no fault of the server's. */
  async ready(): Promise<void> {
    await this.#open().opening;
  }

  /** Callers at the same time get the same client. */
  #open(): Connection {
    if (this.#closed) throw new CapabilityError('This backend is closed.');
    this.#connection ??= this.#connect();
    return this.#connection;
  }

  #connect(): Connection {
    const connection: Connection = { opening: this.#makeClient(), calls: new Set() };
    connection.opening.then(
      (sdk) => {
        connection.sdk = sdk;
      },
      // A failure is not remembered.
      () => {
        if (this.#connection === connection) this.#connection = undefined;
      },
    );
    return connection;
  }

  async #makeClient(): Promise<Sdk> {
    const { client, settings, timeoutMs } = this.#options;
    if (client) return { firestore: sendingOnce(client, timeoutMs), ...(classesOf(client) ?? (await loadSdk())) };
    const { Firestore, Timestamp, FieldValue, default: whole } = await loadSdk();
    const firestore = sendingOnce(newClient(Firestore, settings), timeoutMs);
    await inTime(() => checkCredentials(firestore, (whole as { readonly v1?: LowLevelClients } | undefined)?.v1), { timeoutMs });
    return { firestore, Timestamp, FieldValue };
  }
}

function newClient(sdkClass: SdkModule['Firestore'], settings: Settings): Firestore {
  try {
    return new sdkClass(reconnecting(settings));
  } catch (error) {
    const why = error instanceof Error ? error.message : 'the SDK refuses its options.';
    throw new CapabilityError(`The Firestore client cannot be made: ${why}`, { cause: error });
  }
}

// Only when its last call has ended: a read that reaches a terminated client rejects where nobody can catch it, and that
// ends the process.
async function terminate(connection: Connection): Promise<void> {
  await idle(connection);
  await connection.sdk?.firestore.terminate().catch(() => undefined);
}

async function idle({ opening, calls }: Connection): Promise<void> {
  await opening.catch(() => undefined);
  while (calls.size > 0) await Promise.allSettled(calls);
}

/** The class of a client carries the other classes of its copy of the SDK. */
function classesOf(client: Firestore): Pick<Sdk, 'Timestamp' | 'FieldValue'> | undefined {
  const { Timestamp, FieldValue } = client.constructor as unknown as Partial<SdkModule>;
  return Timestamp && FieldValue ? { Timestamp, FieldValue } : undefined;
}

async function loadSdk(): Promise<SdkModule> {
  try {
    return await import('@google-cloud/firestore');
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CapabilityError('The Firestore SDK is not installed: npm install @google-cloud/firestore', { cause: error });
  }
}
