import { invalidArgument } from '@tokenry/core/backend';
import { BaseCredentials, type CredentialsDescriptor } from './base-credentials.js';
import { sameSecret } from './secret-compare.js';

/** How a user name is written: `ada@corp.example`, `CORP\ada`, or anything else. */
export type UsernameType = 'email' | 'domain' | 'upn';

/**
 * A user name and a password, exchangelib's `Credentials`. The password is sent only by a scheme that the caller chose
 * (`basicAuth()` or a plug-in), and only to hosts that passed the trust rules.
 *
 * @example
 * ```ts
 * const credentials = new UsernamePasswordCredentials('CORP\\ada', 'password');
 * ```
 */
export class UsernamePasswordCredentials extends BaseCredentials {
  readonly kind = 'username-password';
  readonly username: string;
  readonly type: UsernameType;
  readonly #password: string;

  /** @throws TypeError when either is not a string. */
  constructor(username: string, password: string) {
    super();
    if (typeof username !== 'string' || typeof password !== 'string')
      throw invalidArgument('UsernamePasswordCredentials: user name and password must be strings.');
    this.username = username;
    this.#password = password;
    this.type = typeOf(username);
    this.fix('username', 'type');
  }

  /** The password itself, for the scheme that sends it. A method, so that nothing prints it by walking properties. */
  revealPassword(): string {
    return this.#password;
  }

  serialize(): CredentialsDescriptor {
    return { kind: this.kind, username: this.username };
  }

  protected sameSecrets(other: this): boolean {
    return this.username === other.username && sameSecret(this.#password, other.#password);
  }

  toString(): string {
    return this.username;
  }
}

function typeOf(username: string): UsernameType {
  if (username.split('@').length === 2) return 'email';
  return username.split('\\').length === 2 ? 'domain' : 'upn';
}
