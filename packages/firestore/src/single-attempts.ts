import type { Firestore, Settings } from '@google-cloud/firestore';

/** What the SDK's class has but does not show (its `src/index.ts`, `request` and `_retry`, marked internal). */
interface Inside {
  request?: (method: string, request: unknown, tag: string, retryCodes?: readonly number[]) => Promise<unknown>;
  _retry?: (method: string, tag: string, send: () => Promise<unknown>) => Promise<unknown>;
}

const METHODS = ['BatchGetDocuments', 'Commit', 'RunQuery'] as const;

/** Settings under which each request has one deadline, and a connection that broke is made again within seconds. */
export function boundedSettings(settings: Settings, timeoutMs: number): Settings {
  const method = { timeout_millis: timeoutMs, retry_codes_name: 'none' };
  const service = { retry_codes: { none: [] }, methods: Object.fromEntries(METHODS.map((name) => [name, method])) };
  return {
    // Without it each failed read is sent three times, seconds apart, whatever it failed with.
    gaxServerStreamingRetries: true,
    ...settings,
    clientConfig: { interfaces: { 'google.firestore.v1.Firestore': service }, ...settings.clientConfig },
    // By default a client that met an outage tries to connect again every two minutes.
    grpcOptions: {
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 5_000,
      ...settings.grpcOptions,
    },
  };
}

/**
 * Makes a client of ours send each request once.
 *
 * By default it repeats a failed commit for up to ten minutes where nobody can stop it, hides that it is being throttled,
 * keeps the process alive meanwhile, and reports "already exists" for what its own first attempt created. Repeating is
 * `attempt()`'s business here, within the caller's time. No setting turns this off: a commit brings its own list of
 * codes to repeat on. Should an SDK release rename these, its own repetitions come back and nothing else changes.
 */
export function sendOnce(client: Firestore): Firestore {
  const inside = client as unknown as Inside;
  const { request } = inside;
  if (typeof request === 'function') inside.request = (method, message, tag) => request.call(client, method, message, tag);
  if (typeof inside._retry === 'function') inside._retry = (_method, _tag, send) => send();
  return client;
}
