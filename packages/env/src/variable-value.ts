const BINARY = 'base64:';

/** Bytes as the value of a variable: as text where they are text (JSON, JWE), so that other programs can read it. */
export function encodeValue(data: Uint8Array): string {
  const text = Buffer.from(data).toString();
  // A variable ends at its first NUL, and an empty one is none at all on Windows.
  const isText = text !== '' && !text.includes('\u0000') && !text.startsWith(BINARY) && Buffer.from(text).equals(data);
  return isText ? text : BINARY + Buffer.from(data).toString('base64');
}

/** The bytes that {@link encodeValue} was given, or the text that another program has put there. */
export function decodeValue(value: string): Uint8Array {
  return value.startsWith(BINARY) ? Buffer.from(value.slice(BINARY.length), 'base64') : Buffer.from(value);
}
