import type { Adapter, AdapterPayload } from 'oidc-provider';

const MAX_ENTRIES_PER_MODEL = 100_000;

/**
 * One kind of thing (refresh tokens, grants, sessions, …) in memory, with the indexes that oidc-provider asks for.
 * What has expired stays: oidc-provider looks at `exp` itself, and can then say "expired" instead of "unknown".
 */
class Shelf implements Adapter {
  readonly #entries = new Map<string, AdapterPayload>();
  readonly #byUserCode = new Map<string, string>();
  readonly #byUid = new Map<string, string>();
  readonly #byGrant = new Map<string, Set<string>>();

  async upsert(id: string, payload: AdapterPayload): Promise<undefined> {
    this.#forget(id);
    this.#entries.set(id, payload);
    if (payload.userCode) this.#byUserCode.set(payload.userCode, id);
    if (payload.uid) this.#byUid.set(payload.uid, id);
    if (payload.grantId) this.#tokensOf(payload.grantId).add(id);
    if (this.#entries.size > MAX_ENTRIES_PER_MODEL) {
      for (const oldest of this.#entries.keys()) {
        this.#forget(oldest);
        break;
      }
    }
    return undefined;
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.#entries.get(id);
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    const id = this.#byUserCode.get(userCode);
    return id === undefined ? undefined : this.find(id);
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const id = this.#byUid.get(uid);
    return id === undefined ? undefined : this.find(id);
  }

  async consume(id: string): Promise<undefined> {
    this.claim(id);
    return undefined;
  }

  /** Marks an entry as used. Synchronous, so that of two concurrent requests exactly one is told `true`. */
  claim(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry || entry.consumed) return false;
    entry.consumed = Math.floor(Date.now() / 1000);
    return true;
  }

  async destroy(id: string): Promise<undefined> {
    this.#forget(id);
    return undefined;
  }

  async revokeByGrantId(grantId: string): Promise<undefined> {
    for (const id of this.#byGrant.get(grantId) ?? []) this.#entries.delete(id);
    this.#byGrant.delete(grantId);
    return undefined;
  }

  /** Removes everything that belongs to an account. */
  removeAccount(accountId: string): void {
    for (const [id, payload] of this.#entries) if (payload.accountId === accountId) this.#forget(id);
  }

  #tokensOf(grantId: string): Set<string> {
    const tokens = this.#byGrant.get(grantId) ?? new Set();
    this.#byGrant.set(grantId, tokens);
    return tokens;
  }

  #forget(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    const { userCode, uid, grantId } = entry;
    if (userCode) this.#byUserCode.delete(userCode);
    if (uid) this.#byUid.delete(uid);
    if (!grantId) return;
    const tokens = this.#byGrant.get(grantId);
    tokens?.delete(id);
    if (tokens?.size === 0) this.#byGrant.delete(grantId);
  }
}

/** Everything the authorization server remembers, shared by the tenants; bounded, oldest first out. */
export class Store {
  readonly #shelves = new Map<string, Shelf>();

  shelf(model: string): Shelf {
    const shelf = this.#shelves.get(model) ?? new Shelf();
    this.#shelves.set(model, shelf);
    return shelf;
  }

  /** Ends every sign-in of an account. */
  removeAccount(accountId: string): void {
    for (const model of ['RefreshToken', 'Grant', 'Session']) this.shelf(model).removeAccount(accountId);
  }
}
