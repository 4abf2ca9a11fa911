import type { DecodedRecord, RecordAccess, SignalOption } from './record-access.js';

/**
 * The record from memory if that `suffices`, else from the store: what memory lacks, another process may have stored since.
 * So nobody who has signed in elsewhere is sent to sign in again, however old a record may serve.
 */
export function sufficientRecord(
  records: RecordAccess,
  tokenKey: string,
  { suffices, signal }: SignalOption & { readonly suffices: (record: DecodedRecord) => boolean },
): Promise<DecodedRecord | undefined> {
  const remembered = records.peek(tokenKey);
  if (remembered === undefined) return records.current(tokenKey, { signal });
  return isBeyondDoubt(remembered, suffices) ? Promise.resolve(remembered) : records.fresh(tokenKey, { signal });
}

// Of two accounts that memory shows one may have signed out since: what is wrong with a record, the store's own has to show.
function isBeyondDoubt(record: DecodedRecord, suffices: (record: DecodedRecord) => boolean): boolean {
  try {
    return suffices(record);
  } catch {
    return false;
  }
}
