/** What a lease record says: who holds it, for how long, and a counter that a living holder keeps moving. */
export interface LeaseRecord {
  /** Absent: released. */
  readonly owner?: string;
  readonly ttlMs: number;
  readonly counter: number;
}

/** Nobody's lease is watched for longer than this, whatever its record says. */
const MAX_TTL_MS = 3_600_000;
const MAX_RECORD_BYTES = 4_096;

export function encodeLease(lease: LeaseRecord): Uint8Array {
  return Buffer.from(JSON.stringify({ tokenryLease: 1, ...lease }));
}

/** Reads a lease record; `undefined` for bytes that are none (a stranger's, or torn). */
export function decodeLease(data: Uint8Array): LeaseRecord | undefined {
  if (data.byteLength > MAX_RECORD_BYTES) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString());
    return isLease(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLease(value: unknown): value is LeaseRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { tokenryLease, owner, ttlMs, counter } = value as Record<string, unknown>;
  const named = owner === undefined || (typeof owner === 'string' && owner.length <= 512);
  const timed = typeof ttlMs === 'number' && ttlMs > 0 && ttlMs <= MAX_TTL_MS;
  return tokenryLease === 1 && named && timed && Number.isSafeInteger(counter);
}
