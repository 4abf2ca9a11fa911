import type { FieldValue, Firestore, Settings, Timestamp } from '@google-cloud/firestore';
import { CapabilityError, sleep, systemClock } from '@tokenry/core/backend';
import { boundedSettings, sendOnce } from './single-attempts.js';

/** A client, and the classes of the very copy of the SDK that made it: it refuses values of other copies. */
export interface Sdk {
  readonly firestore: Firestore;
  readonly Timestamp: typeof Timestamp;
  readonly FieldValue: typeof FieldValue;
}

type SdkModule = Pick<typeof import('@google-cloud/firestore'), 'Firestore' | 'Timestamp' | 'FieldValue'>;

export interface FirestoreSourceOptions {
  readonly client: Firestore | undefined;
  readonly settings: Settings;
  readonly timeoutMs: number;
}

/** Where the client comes from: injected, or made on first use and terminated on `close()`. */
export class FirestoreSource {
  readonly #options: FirestoreSourceOptions;
  #opening: Promise<Sdk> | undefined;

  constructor(options: FirestoreSourceOptions) {
    this.#options = options;
  }

  /** The client; callers at the same time get the same one, and a failure is not remembered. */
  open(): Promise<Sdk> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /**
   * Makes the next `open()` connect anew: a connection that was cut without a word stays silent for many minutes, until the
   * system gives it up.
   */
  async replace(silent: Sdk): Promise<void> {
    if (this.#options.client || (await this.#opening?.catch(() => undefined)) !== silent) return;
    this.#opening = undefined;
    await silent.firestore.terminate().catch(() => undefined);
  }

  /** Terminates the client if it is ours; requests that are under way get `timeoutMs` to end. */
  async close(): Promise<void> {
    const sdk = this.#options.client ? undefined : await this.#opening?.catch(() => undefined);
    if (sdk) await Promise.race([sdk.firestore.terminate(), sleep(systemClock, this.#options.timeoutMs)]);
  }

  async #open(): Promise<Sdk> {
    const { client, settings, timeoutMs } = this.#options;
    if (client) return { firestore: client, ...(classesOf(client) ?? (await loadSdk())) };
    const { Firestore, Timestamp, FieldValue } = await loadSdk();
    return { firestore: sendOnce(new Firestore(boundedSettings(settings, timeoutMs))), Timestamp, FieldValue };
  }
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
