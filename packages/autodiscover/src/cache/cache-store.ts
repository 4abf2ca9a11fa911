/** Where cached text lives. None of its methods ever fails: a cache that cannot be used is an empty one. */
export interface CacheStore {
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
  clear(): Promise<void>;
}

/** Part of every name: another format has another version, and never meets this one. */
export const FORMAT = 'v1';
/** A larger entry is not one of ours. */
export const MAX_ENTRY_BYTES = 512 * 1024;
