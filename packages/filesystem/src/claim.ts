import { nodeCrypto } from './node-crypto.js';
import { currentOwner, currentOwnerText, type Owner, parseOwner } from './process-identity.js';

/** Linux file systems keep a link of up to 59 bytes inside the inode: no block, so also on a full disk (ext4(5)). */
const INLINE_BYTES = 59;

/** Two installed copies of this package in one thread have the same owner. */
let copy: string | undefined;
let host: string | undefined;
let count = 0;

/** A text that this machine never makes twice: `<owner>.<random><number>`. */
export function newMark(): string {
  count += 1;
  copy ??= nodeCrypto().randomBytes(4).toString('hex');
  return `${currentOwnerText()}.${copy}${count.toString(36)}`;
}

/**
 * A text that says who claims something, and is never written twice: whoever sees it twice knows that nothing happened in
 * between. A mark, and the start of the host name for people.
 */
export function newClaim(): string {
  host ??= process
    .getBuiltinModule('node:os')
    .hostname()
    .replace(/[^A-Za-z0-9.-]/g, '');
  return `${newMark()}@${host}`.slice(0, INLINE_BYTES);
}

/** Who wrote the claim; `undefined` when it is none of ours. */
export function claimOwner(text: string): Owner | undefined {
  return parseOwner(text.slice(0, Math.max(0, text.split(/[@ ]/, 1)[0]?.lastIndexOf('.') ?? 0)));
}

/** The claim's owner for people: `process 42 on web-3`. */
export function describeClaim(text: string): string {
  const owner = claimOwner(text);
  if (!owner) return 'an unknown program';
  const host = /^[^ @]*@([^ ]+)/.exec(text)?.[1];
  const where = owner.machine === currentOwner().machine ? 'this machine' : (host ?? 'another machine');
  return `process ${owner.pid} on ${where}`;
}
