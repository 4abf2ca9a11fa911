import { newClaim } from './claim.js';
import { nodeCrypto } from './node-crypto.js';

/** XFS keeps at most 1024 bytes in a symbolic link. */
const MAX_OWNER_LENGTH = 600;
/** Nobody's lease is watched for longer than this, whatever its file says. */
const MAX_TTL_MS = 3_600_000;

export interface LeaseClaim {
  /** The holder as it named itself. */
  readonly owner: string;
  readonly ttlMs: number;
}

/** A new text for a lease: a claim, then `<ttlMs> <owner as JSON>`. Never the same twice. */
export function newLeaseClaim({ owner, ttlMs }: LeaseClaim): string {
  return `${newClaim()} ${ttlMs} ${ownerText(owner)}`;
}

/** What {@link newLeaseClaim} wrote; `undefined` for a stranger's text. */
export function parseLeaseClaim(text: string): LeaseClaim | undefined {
  const [, ttl = '', owner = ''] = /^\S+ (\d{1,16}(?:\.\d+)?) (".*")$/.exec(text) ?? [];
  const ttlMs = Number(ttl);
  if (ttl === '' || ttlMs > MAX_TTL_MS) return undefined;
  try {
    return { owner: JSON.parse(owner) as string, ttlMs };
  } catch {
    return undefined;
  }
}

/** Whether the lease names this holder. */
export function isHeldBy(text: string, owner: string): boolean {
  return parseLeaseClaim(text) !== undefined && text.endsWith(` ${ownerText(owner)}`);
}

// JSON keeps NUL and lone surrogates out of a link's text.
function ownerText(owner: string): string {
  const json = JSON.stringify(owner);
  return Buffer.byteLength(json) <= MAX_OWNER_LENGTH
    ? json
    : JSON.stringify(`sha256:${nodeCrypto().hash('sha256', json, 'hex')}`);
}
