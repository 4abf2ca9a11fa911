import type { FetchBody } from './fetch.js';

/** Same as the second argument of `JSON.stringify`, as a function: python-o365's `json_encoder`. */
export type JsonReplacer = (key: string, value: unknown) => unknown;

/** What to send for `data`, and its content type where the platform does not know it. */
export interface EncodedBody {
  readonly body?: FetchBody;
  readonly contentType?: string;
}

/**
 * Strings, bytes, forms, blobs and streams are sent as they are; `undefined` and `null` send no body; everything else is
 * sent as JSON.
 */
export function encodeBody(data: unknown, replacer?: JsonReplacer): EncodedBody {
  if (data === undefined || data === null) return {};
  if (isBody(data)) return { body: data };
  return { body: JSON.stringify(data, replacer), contentType: 'application/json' };
}

function isBody(data: unknown): data is FetchBody {
  return (
    typeof data === 'string' ||
    data instanceof URLSearchParams ||
    data instanceof FormData ||
    data instanceof Blob ||
    data instanceof ArrayBuffer ||
    ArrayBuffer.isView(data) ||
    (typeof data === 'object' && data !== null && Symbol.asyncIterator in data)
  );
}
