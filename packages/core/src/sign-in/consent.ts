import type { DeviceFlow } from '../provider/token-provider.js';

/** What a consent handler is given. */
export interface ConsentRequest {
  /** The login page: bring a person there. */
  readonly url: string;
  /** Where the login page sends them afterwards. */
  readonly redirectUri: string;
  readonly signal?: AbortSignal;
}

/**
 * Brings a person to the login page and returns the URL they were sent back to. Any async function will do. Two optional
 * members let a handler take part earlier: one that listens for the redirect says where before the URL is built
 * (`listen`), one that works with a device code shows it instead (`showDeviceCode`).
 */
export interface ConsentHandler {
  (request: ConsentRequest): Promise<string>;
  readonly listen?: (options: ListenOptions) => Promise<ConsentListener>;
  readonly showDeviceCode?: (flow: DeviceFlow, options: { readonly signal?: AbortSignal }) => void | Promise<void>;
}

export interface ListenOptions {
  /** A registered address to listen on; absent: the handler's own choice. */
  readonly redirectUri?: string;
  readonly signal?: AbortSignal;
}

/** A listener that waits for one redirect. */
export interface ConsentListener {
  /** To be registered with, and sent to, the authorization server. */
  readonly redirectUri: string;
  /** Brings the person to the login page and waits for the redirect. */
  receive(request: ConsentRequest): Promise<string>;
  /** Shows how the sign-in ended, in the browser that waits, and closes. Called once, whatever happened. */
  settle(outcome: { readonly error?: unknown }): Promise<void>;
}
