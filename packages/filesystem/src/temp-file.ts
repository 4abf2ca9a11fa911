import { type FileHandle, lstat, mkdir, open, opendir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { claimOwner, newMark } from './claim.js';
import { readClaim } from './claim-file.js';
import { assertAbsent } from './links.js';
import { ownerState } from './process-identity.js';
import { removeStaleClaim, type TakeoverRules } from './stale-claim.js';
import { syncFolder } from './sync-folder.js';

const PREFIX = '=tmp-';
/** A save takes milliseconds. Compared on the file server's own clock only, so no host's clock matters. */
const STRANGERS_TEMP_FILE_MAX_AGE_MS = 3_600_000;

/** Folders remembered as tidied up. */
const MAX_TIDIED = 1_000;

/** An unused name in `folder`, which says who made it: `=tmp-<owner>.<random>`. No record has such a name. */
export function newTempPath(folder: string): string {
  return join(folder, PREFIX + newMark());
}

/**
 * Writes `data` to a new file in `folder` that only this user can read, and waits until the disk has it. A folder that is
 * missing is made, for this user alone. Nothing is left behind when it fails.
 */
export async function writeTempFile(folder: string, data: Uint8Array): Promise<string> {
  const path = newTempPath(folder);
  const file = await openExclusively(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return makeFolder(folder).then(() => openExclusively(path));
  });
  try {
    await file.writeFile(data);
    // Before the rename: otherwise a power cut may leave the record's name on a file without content.
    await file.sync();
    // All is on the disk: nothing that closing could still report. Windows does not rename open files.
    const closed = file.close().catch(() => undefined);
    if (process.platform === 'win32') await closed;
    return path;
  } catch (error) {
    await file.close().catch(() => undefined);
    await unlink(path).catch(() => undefined);
    throw error;
  }
}

const openExclusively = (path: string): Promise<FileHandle> => open(path, 'wx', 0o600);

/** Makes the folder and those above it, 0700 each; existing ones keep their mode. */
export async function makeFolder(folder: string): Promise<void> {
  await assertAbsent(join(folder, 'x'));
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  // Each new name is safe on the disk only when the folder that holds it is.
  for (let at = folder; at.length >= first.length && at !== dirname(at); at = dirname(at)) await syncFolder(dirname(at));
}

const tidied = new Set<string>();

/** Runs {@link removeLeftovers} once per process and folder; what cannot be tidied up must not fail a save. */
export async function removeLeftoversOnce(temp: string, rules: TakeoverRules): Promise<void> {
  const folder = dirname(temp);
  if (tidied.has(folder)) return;
  if (tidied.size >= MAX_TIDIED) tidied.clear();
  tidied.add(folder);
  await removeLeftovers(folder, temp, rules).catch(() => undefined);
}

/**
 * Removes what crashed processes left in `folder`: temporary files, beats, and locks that nobody asked for since. Files of live
 * processes stay. Those of other machines, about which nothing can be known, go when they are an hour older than
 * `reference`, a file just written there.
 */
export async function removeLeftovers(folder: string, reference: string, rules: TakeoverRules): Promise<void> {
  const { mtimeMs: now } = await lstat(reference);
  for await (const { name } of await opendir(folder)) {
    const path = join(folder, name);
    if (name.startsWith(PREFIX)) await removeTempFile(path, now);
    else if (name.startsWith('=beat-')) await removeDeadBeat(path);
    else if (name.startsWith('=lock-') || name.startsWith('=take-')) await removeLock(path, rules);
  }
}

async function removeTempFile(path: string, now: number): Promise<void> {
  const state = ownerState(claimOwner(basename(path).slice(PREFIX.length)));
  if (state === 'alive') return;
  try {
    if (state === 'dead' || now - (await lstat(path)).mtimeMs > STRANGERS_TEMP_FILE_MAX_AGE_MS) await unlink(path);
  } catch {
    // Somebody else removed it, or it is another user's: tidying up must not fail a save.
  }
}

// A dead holder's lease is taken without asking for its beat. Of others' beats nothing is known: their leases may live.
async function removeDeadBeat(path: string): Promise<void> {
  const seen = await readClaim(path).catch(() => undefined);
  if (seen && ownerState(claimOwner(seen.text)) === 'dead') await unlink(path).catch(() => undefined);
}

async function removeLock(path: string, rules: TakeoverRules): Promise<void> {
  const seen = await readClaim(path).catch(() => undefined);
  if (seen && rules.mayTake(path, seen)) await removeStaleClaim(path, seen, rules).catch(() => undefined);
}
