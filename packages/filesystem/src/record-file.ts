import type { Stats } from 'node:fs';
import { chmod, chown, constants, lstat, readFile, rename, stat, unlink } from 'node:fs/promises';
import { CapabilityError } from '@tokenry/core/backend';
import { retryWhileShared } from './windows-sharing.js';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
/** Without O_NONBLOCK, opening a named pipe waits for a writer, forever. Windows has neither. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * Reads the whole file in one trip to the thread pool; `undefined`: there is none. What is read is one file as it was or
 * is: a rename meanwhile changes nothing.
 */
export async function readRecordFile(path: string): Promise<Uint8Array | undefined> {
  const data = await ifPresent(retryWhileShared(() => readFile(path, { flag: READ })));
  if (data?.byteLength === 0) await assertPlainFile(path);
  return data;
}

/** Pipes and some devices look like empty files; an empty record would be called corrupt. */
async function assertPlainFile(path: string): Promise<void> {
  const stats = await ifPresent(stat(path));
  if (stats && !stats.isFile()) throw notAFile(path, stats);
}

/** The error for something that is in a record's place and is no file. */
export function notAFile(path: string, stats: Stats): CapabilityError {
  const what = stats.isDirectory() ? 'a folder' : 'a device, pipe or socket';
  return new CapabilityError(`"${path}" is ${what}; a record has to be a plain file. Move it away, or choose another name.`);
}

/** What is there under this very name, be it a link; `undefined`: nothing. */
export function statIfPresent(path: string): Promise<Stats | undefined> {
  return ifPresent(lstat(path));
}

async function ifPresent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
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
  return (await ifPresent(retryWhileShared(() => unlink(path).then(() => true)))) ?? false;
}
