import { isUtf8 } from 'node:buffer';
import type { Timestamp } from '@google-cloud/firestore';
import { RecordCorruptError } from '@tokenry/core/backend';

/**
 * Longest record in bytes. A document holds 1 MiB including its path, the names of its fields and 32 bytes
 * (cloud.google.com/firestore/docs/storage-size); 4 KiB are left for those and for other fields of yours.
 */
export const MAX_RECORD_BYTES = 1_048_576 - 4_096;

/** Firestore keeps ids of this form for itself; no encoded token key begins with an escaped underscore. */
const OWN_TO_FIRESTORE = /^__.*__$/;
const ESCAPED = /^=5f_.*__$/;

/** The document id of a record. */
export function docIdOf(name: string): string {
  return OWN_TO_FIRESTORE.test(name) ? `=5f${name.slice(1)}` : name;
}

/** The record that a document id stands for. */
export function recordNameOf(docId: string): string {
  return ESCAPED.test(docId) ? `_${docId.slice(3)}` : docId;
}

/** What the field holds: text, as python-o365 wrote it; bytes only where an encryption makes some that are no text. */
export function fieldValueOf(data: Uint8Array): string | Buffer {
  const bytes = Buffer.from(data);
  return isUtf8(bytes) ? bytes.toString() : bytes;
}

/**
 * The bytes that the field holds.
 * @throws RecordCorruptError for a field of another type, such as a map.
 */
export function bytesOf(value: unknown, name: string): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  if (value instanceof Uint8Array) return value;
  throw new RecordCorruptError(`The record field of the document "${name}" holds neither text nor bytes.`);
}

/** The update time, to the microsecond: it changes with every change of the document, also after a removal. */
export function versionOf(updateTime: Timestamp): string {
  return `${updateTime.seconds}.${String(updateTime.nanoseconds).padStart(9, '0')}`;
}

/** The update time that a version stands for; `undefined` when no document ever had such a version. */
export function updateTimeOf(version: string): readonly [seconds: number, nanoseconds: number] | undefined {
  const parts = /^(\d{1,12})\.(\d{9})$/.exec(version);
  return parts ? [Number(parts[1]), Number(parts[2])] : undefined;
}
