import { isAbsolute, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BaseTokenBackendOptions, invalidArgument, outOfRange, strictOptions } from '@tokenry/core/backend';
import type { WriteLockOptions } from './write-lock.js';

export interface FolderOptions {
  /**
   * The folder, as a path (a relative one starts at the working directory) or a `file:` URL. It is made when it is missing,
   * for this user alone.
   * @default `~/.local/state/tokenry` on Linux, `~/Library/Application Support/tokenry` on macOS, `~/AppData/Local/tokenry` on Windows
   */
  readonly tokenPath?: string | URL;
}

export interface FileSystemTokenBackendOptions extends BaseTokenBackendOptions, FolderOptions {
  /** Name of the default record's file inside the folder; it is also the default token key. @default 'o365_token.txt' */
  readonly tokenFilename?: string;
  /** Patience with write locks; the defaults suit local disks and network file systems. */
  readonly writeLock?: WriteLockOptions;
}

/** Names of the options that this backend adds to those of every backend. */
export const OWN_OPTIONS = ['tokenPath', 'tokenFilename', 'writeLock'] as const;

const DEFAULT_FILENAME = 'o365_token.txt';

/** Where a user's state belongs on this platform; never the working directory. */
function stateFolder(): string {
  const home = homeFolder();
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'tokenry');
  if (process.platform === 'win32') return join(home, 'AppData', 'Local', 'tokenry');
  return join(home, '.local', 'state', 'tokenry');
}

function homeFolder(): string {
  try {
    const home = process.getBuiltinModule('node:os').homedir();
    if (isAbsolute(home)) return home;
  } catch {
    // A user id without an entry in the user database, as in many containers.
  }
  throw invalidArgument('This user has no home folder to keep tokens in: give a folder as tokenPath.');
}

/** The absolute path of the folder that was asked for. */
export function resolveFolder(tokenPath: string | URL | undefined): string {
  if (tokenPath === undefined) return stateFolder();
  if (tokenPath instanceof URL) return folderOfUrl(tokenPath);
  if (typeof tokenPath !== 'string' || tokenPath === '' || tokenPath.includes('\0'))
    throw invalidArgument('tokenPath must be the path of a folder, or a file: URL.');
  if (/^~[\\/]|^~$/.test(tokenPath))
    throw invalidArgument(`tokenPath "${tokenPath}": only a shell replaces "~" by the home folder; use os.homedir().`);
  if (/^file:/i.test(tokenPath))
    throw invalidArgument(`tokenPath "${tokenPath}" is a URL in a string: give new URL("${tokenPath}").`);
  return resolve(tokenPath);
}

function folderOfUrl(url: URL): string {
  if (url.protocol !== 'file:') throw invalidArgument(`tokenPath must be a file: URL, not "${url.protocol}".`);
  return resolve(fileURLToPath(url));
}

/** Characters that no Windows file name may hold (learn.microsoft.com, "Naming Files, Paths, and Namespaces"). */
const NOT_ON_WINDOWS = /[<>:"|?*]|[. ]$/;

function checkFilename(tokenFilename: unknown): string {
  if (typeof tokenFilename !== 'string' || tokenFilename === '')
    throw invalidArgument('tokenFilename must be the name of a file, such as "o365_token.txt".');
  if (/[\\/\0]/.test(tokenFilename) || tokenFilename === '.' || tokenFilename === '..')
    throw invalidArgument(
      `tokenFilename "${tokenFilename}" is a path: name the folder in tokenPath and only the file in tokenFilename.`,
    );
  if (sep === '\\' && NOT_ON_WINDOWS.test(tokenFilename))
    throw invalidArgument(`tokenFilename "${tokenFilename}" is no file name on Windows.`);
  return tokenFilename;
}

export interface ResolvedOptions {
  readonly folder: string;
  readonly defaultTokenKey: string;
  readonly writeLock: WriteLockOptions;
}

/** Checks this backend's own options and fills in the defaults. */
export function resolveOptions(options: FileSystemTokenBackendOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null)
    throw invalidArgument('FileSystemTokenBackend: options must be an object, such as { tokenPath: "/srv/app/tokens" }.');
  const { tokenPath, tokenFilename, defaultTokenKey, writeLock } = options;
  if (tokenFilename !== undefined && defaultTokenKey !== undefined && tokenFilename !== defaultTokenKey)
    throw invalidArgument('tokenFilename and defaultTokenKey both name the default record: give one of them.');
  return {
    folder: resolveFolder(tokenPath),
    defaultTokenKey: checkFilename(tokenFilename ?? defaultTokenKey ?? DEFAULT_FILENAME),
    writeLock: checkWriteLock(writeLock),
  };
}

/** Checks the numbers of a write lock. */
export function checkWriteLock(options: WriteLockOptions | undefined): WriteLockOptions {
  const checked = strictOptions('writeLock', options, ['ttlMs', 'waitMs']);
  for (const [name, value] of Object.entries(checked))
    if (typeof value !== 'number' || !(value > 0))
      throw outOfRange(`writeLock.${name} must be a positive number of milliseconds.`);
  return checked;
}
