import { invalidArgument, outOfRange } from '../options.js';

/** Longest token key, in UTF-8 bytes. */
export const MAX_TOKEN_KEY_BYTES = 256;

/**
 * Returns `value` if it can name a record: a string of 1 to 256 UTF-8 bytes without lone surrogates.
 * @throws TypeError (`TOKENRY_INVALID_ARGUMENT`) when it is not a well-formed string.
 * @throws RangeError (`TOKENRY_OUT_OF_RANGE`) when it is empty or too long.
 */
export function checkTokenKey(value: unknown, what = 'tokenKey'): string {
  const text = checkText(value, what);
  if (text === '') throw outOfRange(`${what} must not be empty.`);
  return text;
}

/** As {@link checkTokenKey}, and the empty string is fine. */
export function checkKeyPrefix(value: unknown): string {
  return checkText(value, 'keyPrefix');
}

function checkText(value: unknown, what: string): string {
  if (typeof value !== 'string')
    throw invalidArgument(`${what} must be a string, not ${value === null ? 'null' : typeof value}.`);
  // Two different lone surrogates have the same UTF-8 form: two keys would share one record.
  if (!value.isWellFormed()) throw invalidArgument(`${what} holds a lone surrogate; it has no UTF-8 form.`);
  // A UTF-16 unit takes three bytes at most.
  if (value.length * 3 <= MAX_TOKEN_KEY_BYTES) return value;
  const bytes = Buffer.byteLength(value);
  if (bytes > MAX_TOKEN_KEY_BYTES)
    throw outOfRange(`${what} has ${bytes} UTF-8 bytes; at most ${MAX_TOKEN_KEY_BYTES} are allowed.`);
  return value;
}
