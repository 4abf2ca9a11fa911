const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 bytes of `text`. */
export const bytes = (text: string): Uint8Array => encoder.encode(text);

/** `data` as text. @throws TypeError when it is not UTF-8, such as a record that was cut in the middle of a character. */
export const text = (data: Uint8Array): string => decoder.decode(data);
