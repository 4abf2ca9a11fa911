import { AccessTokenIndex } from '../tokens/access-token-index.js';
import type { TokenCache } from '../tokens/token-cache.js';
import { contentVersion } from './raw-records.js';
import type { DecodedRecord, RecordSource, Update, Updated, UpdateOptions } from './record-source.js';
import type { TokenBackend } from './token-backend.js';

/** Decoded records of a backend that shows nothing but its token face; versions are hashes of the content. */
export class ForeignTokens implements RecordSource {
  readonly #backend: Pick<TokenBackend, 'loadToken' | 'updateToken'>;

  constructor(backend: Pick<TokenBackend, 'loadToken' | 'updateToken'>) {
    this.#backend = backend;
  }

  async read(tokenKey: string, { signal, known }: Pick<UpdateOptions, 'signal' | 'known'>): Promise<DecodedRecord | undefined> {
    const cache = await this.#backend.loadToken({ tokenKey, fresh: true, ...(signal ? { signal } : {}) });
    if (!cache) return undefined;
    const record = decoded(cache);
    return record.version === known?.version ? known : record;
  }

  /** `update` must change the cache that it is given: `updateToken` stores no other. */
  async update(tokenKey: string, update: Update, { signal }: UpdateOptions): Promise<Updated> {
    let before: TokenCache | undefined;
    const after = await this.#backend.updateToken(
      (cache) => {
        before = cache.clone();
        update(cache);
      },
      { tokenKey, ...(signal ? { signal } : {}) },
    );
    return { before: before && decoded(before), after: decoded(after) };
  }
}

function decoded(cache: TokenCache): DecodedRecord {
  return { version: contentVersion(Buffer.from(cache.serialize())), cache, index: new AccessTokenIndex(cache) };
}
