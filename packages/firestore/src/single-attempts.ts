import type { Firestore, Settings } from '@google-cloud/firestore';

/** What the SDK's class has but does not show (marked internal in its `src/index.ts`). */
interface Inside {
  createCallOptions?(this: Firestore, method: string): object;
  _retry?(method: string, tag: string, send: () => Promise<unknown>): Promise<unknown>;
}

/** Settings under which a connection that broke is made again within seconds; by default within two minutes. */
export function reconnecting(settings: Settings): Settings {
  const grpcOptions = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 5_000 };
  return { ...settings, grpcOptions: { ...grpcOptions, ...settings.grpcOptions } };
}

/**
 * A view of the client that sends each request once, with a deadline of `timeoutMs`. The client itself stays as it is: whoever
 * injected it may want what it does by default.
 *
 * By default it repeats a failed commit for up to ten minutes where nobody can stop it: a save that was reported as failed
 * is made later, throttling shows as silence, and the process cannot end. Failed reads are sent three times, seconds apart,
 * also where permission is missing. Repeating is `attempt()`'s business here, within the caller's time. No setting turns this
 * off: a commit brings its own list of codes to repeat on. Should a release of the SDK rename these two methods, its own
 * repetitions come back, and a test fails.
 */
export function sendingOnce(client: Firestore, timeoutMs: number): Firestore {
  const view = Object.create(client) as Firestore;
  const inside = view as unknown as Inside;
  const { createCallOptions } = inside;
  const once = { timeout: timeoutMs, retry: null, retryRequestOptions: { retries: 0, noResponseRetries: 0 } };
  if (typeof createCallOptions === 'function')
    inside.createCallOptions = (method) => ({ ...createCallOptions.call(view, method), ...once });
  if (typeof inside._retry === 'function') inside._retry = (_method, _tag, send) => send();
  return view;
}
