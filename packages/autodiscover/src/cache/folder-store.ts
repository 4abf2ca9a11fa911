import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type CacheStore, FORMAT, MAX_ENTRY_BYTES } from './cache-store.js';

const SUFFIX = `.${FORMAT}.json`;
const OLD_TEMPORARY_MS = 10 * 60_000;

/** The per-user cache folder of this operating system. */
export function defaultCacheFolder(): string {
  const home = homedir();
  if (process.platform === 'darwin') return join(home, 'Library', 'Caches', 'tokenry-autodiscover');
  if (process.platform === 'win32') return join(home, 'AppData', 'Local', 'tokenry-autodiscover', 'Cache');
  return join(home, '.cache', 'tokenry-autodiscover');
}

/**
 * One small file per entry in a folder that only this user may enter. Each is replaced as a whole, so readers see the old
 * or the new one, and writers need no lock: the last one wins. A folder of somebody else's is not used.
 */
export class FolderStore implements CacheStore {
  readonly #folder: string;
  #usable: Promise<boolean> | undefined;
  #swept = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(name: string): Promise<string | undefined> {
    if (!(await this.#check(false))) return undefined;
    try {
      const path = this.#path(name);
      if ((await stat(path)).size > MAX_ENTRY_BYTES) return undefined;
      return await readFile(path, 'utf8');
    } catch {
      return undefined; // absent, or not readable: either way there is nothing cached
    }
  }

  async write(name: string, text: string): Promise<void> {
    if (!(await this.#check(true))) return;
    await this.#sweep();
    const temporary = join(this.#folder, `.${name}.${process.pid}.${randomUUID()}.tmp`);
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(text);
      } finally {
        await file.close();
      }
      // No fsync: after a power cut an entry may be empty, and an unreadable entry is simply not there.
      await rename(temporary, this.#path(name));
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined); // full, read-only, gone: memory still serves
    }
  }

  async remove(name: string): Promise<void> {
    await rm(this.#path(name), { force: true }).catch(() => undefined);
  }

  async clear(): Promise<void> {
    if (!(await this.#check(false))) return;
    for (const file of await this.#list())
      if (isOurs(file)) await rm(join(this.#folder, file), { force: true }).catch(() => undefined);
  }

  #path(name: string): string {
    return join(this.#folder, `${name}${SUFFIX}`);
  }
  async #list(): Promise<string[]> {
    return readdir(this.#folder).catch(() => []);
  }

  /** Whether the folder is ours alone. Asked once; before the first write it is made. */
  async #check(create: boolean): Promise<boolean> {
    if (this.#usable) return this.#usable;
    const usable = create ? this.#create() : isPrivateFolder(this.#folder);
    // An absent folder may appear later; a bad one stays bad for this process.
    if (create || (await usable)) this.#usable = usable;
    return usable;
  }

  async #create(): Promise<boolean> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    } catch {
      return false;
    }
    return isPrivateFolder(this.#folder);
  }

  /** Processes that were killed while writing leave temporary files; each process looks for old ones once. */
  async #sweep(): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    for (const file of await this.#list()) {
      if (!/^\..*\.tmp$/.test(file)) continue;
      const path = join(this.#folder, file);
      const writtenAt = (await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now();
      if (Date.now() - writtenAt > OLD_TEMPORARY_MS) await rm(path, { force: true }).catch(() => undefined);
    }
  }
}

function isOurs(file: string): boolean {
  return /^\.?(?:endpoint|settings)-[0-9a-f]{64}\./.test(file);
}

/** A real folder, owned by this user, that nobody else may write to: otherwise others decide what we read. */
async function isPrivateFolder(folder: string): Promise<boolean> {
  try {
    const found = await lstat(folder);
    if (!found.isDirectory()) return false;
    return process.getuid === undefined || (found.uid === process.getuid() && (found.mode & 0o022) === 0);
  } catch {
    return false;
  }
}
