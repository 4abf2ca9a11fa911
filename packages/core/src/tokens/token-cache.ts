import type { AccountInfo, AddedTokens, TokenEvent, TokenQuery } from './schema.js';

/** What a slice is cut for. */
export interface SliceOptions {
  /** Absent: nobody yet, or the program itself. */
  readonly homeAccountId?: string;
  readonly clientId: string;
  readonly tenantId?: string;
  readonly environment: string;
  readonly now: () => number;
}

export type RefreshApplied = 'applied' | 'yielded' | 'account-gone';

const todo = (): never => {
  throw new Error('not implemented');
};

/** A decoded record. */
export class TokenCache {
  static deserialize(_state: string | Uint8Array): TokenCache {
    return todo();
  }
  /** The stored form. `now` (epoch ms): access tokens expired by then are left out. */
  serialize(_options: { readonly now?: number } = {}): string {
    return todo();
  }
  exportForPython(): string {
    return todo();
  }
  /** Shares the frozen entities and keeps the base: microseconds. */
  clone(): TokenCache {
    return todo();
  }
  /** What this cache was read as; `undefined`: never loaded. First argument of `mergeTokenCaches`. */
  get base(): TokenCache | undefined {
    return todo();
  }
  /** After a save: content and base become those of `saved`. */
  rebase(_saved: TokenCache): void {
    todo();
  }
  slice(_of: SliceOptions): TokenCache {
    return todo();
  }
  applySignIn(_result: TokenCache): void {
    todo();
  }
  applyRefresh(_result: TokenCache, _how: { readonly spent?: string } = {}): RefreshApplied {
    return todo();
  }
  removeRefreshToken(_secret: string): boolean {
    return todo();
  }
  get hasData(): boolean {
    return todo();
  }
  get hasStateChanged(): boolean {
    return todo();
  }
  /** What the last `add` stored here. */
  get lastAdded(): AddedTokens | undefined {
    return todo();
  }
  /** Refresh token of a python-o365 2.0 file that waits for its import. */
  get legacyRefreshToken(): { readonly secret: string; readonly scopes: readonly string[] } | undefined {
    return todo();
  }
  getAccounts(_query: { readonly username?: string } = {}): readonly AccountInfo[] {
    return todo();
  }
  getAccount(_query: { readonly username?: string; readonly homeAccountId?: string } = {}): AccountInfo | undefined {
    return todo();
  }
  getAccessToken(
    _query: TokenQuery = {},
  ): { readonly secret: string; readonly expiresAt: number; readonly scopes: readonly string[] } | undefined {
    return todo();
  }
  getRefreshToken(_query: TokenQuery = {}): { readonly secret: string } | undefined {
    return todo();
  }
  getIdToken(
    _query: TokenQuery = {},
  ): { readonly secret: string; readonly claims: Readonly<Record<string, unknown>> } | undefined {
    return todo();
  }
  getTokenScopes(_query: TokenQuery & { readonly removeReserved?: boolean } = {}): readonly string[] | undefined {
    return todo();
  }
  tokenExpiresAt(_query: TokenQuery = {}): number | undefined {
    return todo();
  }
  tokenIsExpired(_query: TokenQuery & { readonly now?: number } = {}): boolean {
    return todo();
  }
  tokenIsLongLived(_query: TokenQuery = {}): boolean {
    return todo();
  }
  add(_event: TokenEvent): void {
    todo();
  }
  removeAccount(_query: { readonly username?: string; readonly homeAccountId?: string }): boolean {
    return todo();
  }
}
