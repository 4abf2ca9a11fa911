import type { SecretsManagerClient, SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { CapabilityError } from '@tokenry/core/backend';
import { withNamedFailure } from './credentials.js';

/** The vendor's package: some hundred files that a process which never touches the store need not load. */
export type Sdk = typeof import('@aws-sdk/client-secrets-manager');

export interface Connected {
  readonly sdk: Sdk;
  readonly client: SecretsManagerClient;
}

/**
 * The vendor waits for an answer without end, and for a connection as long as the system does. A record has a few
 * kilobytes: what takes longer is an outage.
 */
const PATIENCE = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true, socketTimeout: 10_000 },
} satisfies SecretsManagerClientConfig;

/** Loads the SDK and makes the client, both at first use. */
export class Connection {
  readonly #injected: SecretsManagerClient | undefined;
  readonly #options: SecretsManagerClientConfig;
  #connected: Promise<Connected> | undefined;

  constructor({
    client,
    clientOptions = {},
  }: { readonly client?: SecretsManagerClient; readonly clientOptions?: SecretsManagerClientConfig }) {
    this.#injected = client;
    this.#options = clientOptions;
  }

  open(): Promise<Connected> {
    this.#connected ??= this.#connect().catch((error: unknown) => {
      this.#connected = undefined;
      throw error;
    });
    return this.#connected;
  }

  /** Ends a client of ours; never an injected one. */
  async close(): Promise<void> {
    if (this.#injected) return;
    const connected = await this.#connected?.catch(() => undefined);
    connected?.client.destroy();
  }

  async #connect(): Promise<Connected> {
    const sdk = await loadSdk();
    return { sdk, client: this.#injected ?? new sdk.SecretsManagerClient({ ...PATIENCE, ...withNamedFailure(this.#options) }) };
  }
}

async function loadSdk(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-secrets-manager');
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new CapabilityError('The SDK is not installed: npm install @aws-sdk/client-secrets-manager', { cause: error });
  }
}
