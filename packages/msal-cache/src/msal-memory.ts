import { kvStoreOf, type MsalTokenCache, type SerializedCache } from './msal-types.js';

const MARK = 'tokenry-access-';
let accesses = 0;
const lastTexts = new WeakMap<MsalTokenCache, string>();

/** What a memory was filled with. */
export interface Filled {
  readonly mark: string;
  readonly text: string;
}

/**
 * Puts `text` in place of everything that the application remembers, except its metadata of authorities. `deserialize`
 * alone lays it over what is there, which brings removed accounts back and mixes the users of a shared application.
 */
export function fill(tokenCache: MsalTokenCache, text: string): Filled {
  empty(tokenCache);
  tokenCache.deserialize(text);
  lastTexts.set(tokenCache, text);
  // A text among the entities is ignored by msal-node, and gone as soon as somebody clears or fills the memory.
  const mark = `${MARK}${++accesses}`;
  const store = kvStoreOf(tokenCache);
  if (store) store[mark] = mark;
  return { mark, text };
}

/** What the application remembers. */
export interface Memory {
  readonly now: SerializedCache;
  /** What it was filled with last. */
  readonly before: SerializedCache;
  /** False: it was cleared or filled again since. */
  readonly intact: boolean;
}

/** Reads the memory that `filled` began. */
export function read(tokenCache: MsalTokenCache, { mark, text }: Filled): Memory {
  const now = JSON.parse(tokenCache.serialize()) as SerializedCache;
  const before = JSON.parse(lastTexts.get(tokenCache) ?? text) as SerializedCache;
  const store = kvStoreOf(tokenCache);
  const intact = store === undefined || store[mark] === mark;
  if (store) delete store[mark];
  return { now, before, intact };
}

function empty(tokenCache: MsalTokenCache): void {
  const store = kvStoreOf(tokenCache);
  if (!store) return;
  for (const [key, value] of Object.entries(store)) if (isEntity(key, value) || key.startsWith(MARK)) delete store[key];
}

function isEntity(key: string, value: unknown): boolean {
  return typeof value === 'object' && !key.startsWith('authority-metadata');
}
