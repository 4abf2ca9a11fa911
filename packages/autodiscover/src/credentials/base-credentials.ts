const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** What `serialize()` gives: everything but secrets and tokens. */
export interface CredentialsDescriptor {
  readonly kind: CredentialsKind;
  readonly username?: string;
  readonly clientId?: string;
  /** Names token-only credentials, which have nothing else to be told apart by. */
  readonly instance?: string;
  readonly tenantId?: string;
  readonly cloud?: string;
  readonly identity?: IdentityDescriptor;
}
export interface IdentityDescriptor {
  readonly sid?: string;
  readonly upn?: string;
  readonly smtpAddress?: string;
  readonly primarySmtpAddress?: string;
}
export type CredentialsKind =
  | 'username-password'
  | 'oauth2'
  | 'oauth2-legacy'
  | 'oauth2-authorization-code'
  | 'o365-interactive'
  | 'custom';

/**
 * Parent of all Exchange credentials: an immutable description of who asks. Tokens live elsewhere, so that neither
 * equality nor `cacheKey()` changes when a token is refreshed.
 */
export abstract class BaseCredentials {
  /** The class tag: two credentials of different kinds are never equal. */
  abstract readonly kind: CredentialsKind;

  /** Everything but secrets and tokens, as plain JSON; `restoreCredentials` reads it back. */
  abstract serialize(): CredentialsDescriptor;

  /** Makes these properties what they stay: names that change behind a cache's back would lead to somebody else's entries. */
  protected fix(...names: readonly string[]): void {
    for (const name of names) Object.defineProperty(this, name, { writable: false, configurable: false });
  }

  /** Compares the secrets; called by `equals` once kind and descriptor agree. */
  protected abstract sameSecrets(other: this): boolean;

  /** Whether `other` is the same kind of credentials with the same names and secrets; tokens do not count. */
  equals(other: unknown): boolean {
    if (this === other) return true;
    if (!(other instanceof BaseCredentials) || other.kind !== this.kind) return false;
    return this.cacheKey() === other.cacheKey() && this.sameSecrets(other as this);
  }

  /** A stable name for caches, made of kind, cloud, tenant, client, user name and identity; never of a secret or token. */
  cacheKey(): string {
    const { kind, cloud = '', tenantId = '', clientId = '', instance = '', username = '', identity } = this.serialize();
    const names = [kind, cloud, tenantId.toLowerCase(), clientId, instance, username.toLowerCase()];
    return JSON.stringify([...names, identity ?? null]);
  }

  /** Who asks, in a word; never a secret. */
  abstract toString(): string;

  toJSON(): CredentialsDescriptor {
    return this.serialize();
  }

  [INSPECT](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    const { kind: _kind, ...shown } = this.serialize();
    return `${this.constructor.name} ${inspect({ ...shown, secrets: '********' }, options)}`;
  }
}
