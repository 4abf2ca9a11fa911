import { readFile, readlink, rename, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { retryWhileShared } from './windows-sharing.js';

/**
 * Claims on disk: one small file, whose name says what is claimed and whose content says by whom.
 *
 * The file is a symbolic link that leads nowhere, its target text being the claim: symlink(2) creates name and content in
 * one step and fails when the name exists, so a claim is never seen half written, survives `kill -9` whole, and costs one
 * system call. File systems without links (and Windows, where they need a privilege) get a plain file created exclusively;
 * killed between creation and content it is an empty claim, which counts as a stranger's.
 */
export interface ClaimSeen {
  readonly text: string;
  /** Differs whenever the claim was made anew, also where somebody wrote the same text again. */
  readonly fingerprint: string;
}

const NO_LINKS_HERE = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']);
const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Makes the claim; `false`: the name is taken. */
export async function createClaim(path: string, text: string): Promise<boolean> {
  try {
    if (process.platform === 'win32') await createPlainClaim(path, text);
    else await symlink(text, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (process.platform === 'win32' || !NO_LINKS_HERE.has(codeOf(error) ?? '')) throw error;
  }
  return createPlainClaim(path, text).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    },
  );
}

async function createPlainClaim(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    // Created but not filled (disk full): it is ours, and would look like a stranger's.
    if (codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') await unlink(path).catch(() => undefined);
    throw error;
  }
}

/** Reads the claim; `undefined`: there is none. */
export async function readClaim(path: string): Promise<ClaimSeen | undefined> {
  try {
    const text = await readlink(path);
    return { text, fingerprint: text };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'UNKNOWN') throw error;
  }
  try {
    const { ino, mtimeNs } = await stat(path, { bigint: true });
    const text = await retryWhileShared(() => readFile(path, 'utf8'));
    return { text, fingerprint: `${ino} ${mtimeNs} ${text}` };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Puts another claim in the place of the one that is there, in one step. `spare` is an unused name in the same folder. */
export async function replaceClaim(path: string, text: string, spare: string): Promise<void> {
  await createClaim(spare, text);
  try {
    // rename(2) replaces the link itself and never leaves the name empty: nobody can slip in between.
    await retryWhileShared(() => rename(spare, path));
  } catch (error) {
    await removeClaim(spare).catch(() => undefined);
    throw error;
  }
}

/** Removes the claim; one that is gone is no error. */
export async function removeClaim(path: string): Promise<void> {
  try {
    await retryWhileShared(() => unlink(path));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
