import { invalidArgument } from '../options.js';

/** What a backend with an SDK takes as its client, or makes one of. Both texts go into messages. */
export interface ClientKind {
  /** Methods that such a client has. Not its class: it may come from another copy of the SDK. */
  readonly methods: readonly string[];
  /** `an S3Client, such as new S3Client({ region: "eu-west-1" })` */
  readonly client: string;
  /** `{ region: "eu-west-1" }` */
  readonly clientOptions: string;
}

/**
 * Checks the two ways to give a backend its client: a `client` of the caller's, or `clientOptions` for one of its own.
 * @throws TypeError (`TOKENRY_INVALID_ARGUMENT`) when both are given, or one is nothing of its kind.
 */
export function checkClient(
  { client, clientOptions }: { readonly client?: unknown; readonly clientOptions?: unknown },
  kind: ClientKind,
): void {
  if (client !== undefined && clientOptions !== undefined)
    throw invalidArgument('client and clientOptions exclude each other: give one of them.');
  if (client !== undefined && !(isObject(client) && kind.methods.every((name) => typeof client[name] === 'function')))
    throw invalidArgument(`client must be ${kind.client}.`);
  if (clientOptions !== undefined && (!isObject(clientOptions) || Array.isArray(clientOptions)))
    throw invalidArgument(`clientOptions must be an object, such as ${kind.clientOptions}.`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
