import { constants, type Stats } from 'node:fs';
import { chmod, chown, open, rename, stat, unlink } from 'node:fs/promises';
import { CapabilityError } from '@tokenry/core/backend';
import { retryWhileShared } from './windows-sharing.js';

/** A record's file as it was when it was opened; a later rename does not change what is read. */
export interface RecordFile {
  readonly data: Uint8Array;
  readonly stats: Stats;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
const isAbsent = (error: unknown): boolean => codeOf(error) === 'ENOENT';
/** Without O_NONBLOCK, opening a named pipe waits for a writer, forever. Windows has neither. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Reads the whole file; `undefined`: there is none. */
export async function readRecordFile(path: string): Promise<RecordFile | undefined> {
  const file = await retryWhileShared(() => open(path, READ)).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (!file) return undefined;
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) throw Object.assign(new Error(`EISDIR: ${path}`), { code: 'EISDIR', syscall: 'read' });
    if (!stats.isFile()) throw new CapabilityError(`"${path}" is a device, pipe or socket; a record has to be a plain file.`);
    return { data: await file.readFile(), stats };
  } finally {
    await file.close();
  }
}

/**
 * Puts the finished `temp` in the place of `target` in one step: readers see the old file or the new one.
 * A file that only its owner and group may use keeps owner, group and mode; every other becomes 0600.
 */
export async function replaceFile(temp: string, target: string, before: Stats | undefined): Promise<void> {
  if (before && process.platform !== 'win32') await keepAccess(temp, before);
  await retryWhileShared(() => rename(temp, target));
}

const OTHERS = 0o007;
const GROUP = 0o070;

async function keepAccess(temp: string, before: Stats): Promise<void> {
  const uid = process.getuid?.();
  // A save by root (sudo, once) must not lock the record's owner out.
  const foreign = uid === 0 && before.uid !== 0;
  // 0644 is what a careless umask left; 0640 without others was somebody's decision.
  const shared = (before.mode & OTHERS) === 0 && (before.mode & GROUP) !== 0;
  if (!foreign && !shared) return;
  const groupKept = await keepGroup(temp, before, foreign);
  if (shared && groupKept) await chmod(temp, 0o600 | (before.mode & (GROUP & ~0o010)));
}

async function keepGroup(temp: string, before: Stats, foreign: boolean): Promise<boolean> {
  const { gid, uid } = await stat(temp);
  if (gid === before.gid && !foreign) return true;
  try {
    await chown(temp, foreign ? before.uid : uid, before.gid);
    return true;
  } catch (error) {
    // Not a member of that group: its members lose access, which beats giving access to another group.
    if (codeOf(error) === 'EPERM') return false;
    throw error;
  }
}

/** Removes the file; `false`: there was none. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await retryWhileShared(() => unlink(path));
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}
