/**
 * The variable that holds a record. The record named like the base variable is that variable itself; others live beside
 * it as `<base>__<name>`: letters in upper case, digits as they are, every other byte as `_XX`. Such names are fine in
 * every shell, and stay different on Windows, where case does not count.
 */
export function variableOf(base: string, recordName: string): string {
  if (recordName === base) return base;
  let encoded = '';
  for (const byte of Buffer.from(recordName)) encoded += encodeByte(byte);
  return `${base}__${encoded}`;
}

/** The record that a variable holds; `undefined` for variables of others. */
export function recordIn(base: string, variable: string): string | undefined {
  if (variable === base) return base;
  const encoded = variable.startsWith(`${base}__`) ? variable.slice(base.length + 2) : '';
  if (!/^(?:[A-Z0-9]|_[0-9A-F]{2})+$/.test(encoded)) return undefined;
  const bytes = encoded
    .match(/_..|./g)
    ?.map((part) => (part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.toLowerCase().charCodeAt(0)));
  const recordName = Buffer.from(bytes ?? []).toString();
  return variableOf(base, recordName) === variable ? recordName : undefined;
}

function encodeByte(byte: number): string {
  const lower = byte >= 0x61 && byte <= 0x7a;
  const digit = byte >= 0x30 && byte <= 0x39;
  if (lower || digit) return String.fromCharCode(byte).toUpperCase();
  return `_${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
