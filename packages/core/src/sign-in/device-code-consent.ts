import { CapabilityError } from '../errors.js';
import { invalidArgument, strictOptions } from '../options.js';
import type { DeviceFlow } from '../provider/token-provider.js';
import type { ConsentHandler } from './consent.js';

/** How the person gets to see the code. */
export interface DeviceCodeConsentOptions {
  /**
   * Shows the person what to do; `flow.message` says it in one sentence.
   * @default writes `flow.message` to the standard error stream
   */
  readonly show?: (flow: DeviceFlow, options: { readonly signal?: AbortSignal }) => void | Promise<void>;
}

/**
 * A consent handler for machines without a browser: the person opens a page on another device and enters a code there.
 * @throws TypeError for an unknown option, or when `show` is no function
 * @example
 * ```ts
 * await account.authenticate({ handleConsent: deviceCodeConsent({ show: ({ message }) => console.log(message) }) });
 * ```
 */
export function deviceCodeConsent(options: DeviceCodeConsentOptions = {}): ConsentHandler {
  const { show = showOnStderr } = strictOptions('deviceCodeConsent', options, ['show']);
  if (typeof show !== 'function') throw invalidArgument('deviceCodeConsent: show must be a function.');
  const handler = async (): Promise<string> => {
    throw new CapabilityError('deviceCodeConsent() handles no redirect; pass it to authenticate().');
  };
  return Object.freeze(Object.assign(handler, { showDeviceCode: show }));
}

function showOnStderr({ message }: DeviceFlow): void {
  process.stderr.write(`${message}\n`);
}
