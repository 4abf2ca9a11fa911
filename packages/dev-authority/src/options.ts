import { createPublicKey } from 'node:crypto';
import { checkNames } from './check-names.js';

/** Somebody who can sign in. Users that are not listed are created, with a stable id, when they first sign in. */
export interface DevUser {
  readonly username: string;
  /** For the password grant. Without one, any password is accepted that does not start with `wrong`. */
  readonly password?: string;
  /** Display name. @default the part before the `@`, capitalised */
  readonly name?: string;
  /** Object id in this tenant. @default derived from the user name, the same in every run */
  readonly oid?: string;
  /** Makes the user a guest: `client_info` then names the home tenant, while `oid` and `tid` are this tenant's. */
  readonly guest?: { readonly homeTenantId: string; readonly homeOid?: string };
}

/** An application that is checked strictly. Clients that are not registered are accepted as they come. */
export interface DevClient {
  readonly clientId: string;
  /** One secret, or several that are valid at once (rotation). */
  readonly clientSecret?: string | readonly string[];
  /** PEM certificates or public keys that may sign client assertions (`private_key_jwt`, RS256, PS256, ES256). */
  readonly certificate?: string | readonly string[];
  /** Redirect URIs besides those on loopback, which are always accepted. */
  readonly redirectUris?: readonly string[];
  /** Also accepted without credentials. @default true when it has neither secret nor certificate */
  readonly allowPublicClient?: boolean;
  /** Application permissions in the `roles` claim of app-only tokens. @default User.Read.All, Mail.ReadWrite, Mail.Send */
  readonly appRoles?: readonly string[];
}

/** What happens to a refresh token when it is used. */
export type RefreshTokenMode = 'reusable' | 'one-time' | 'one-time-revoking';

/** How tokens are signed. */
export type SigningAlgorithm = 'RS256' | 'ES256';

/** Options of {@link startDevAuthority}. */
export interface DevAuthorityOptions {
  /** @default a few people of contoso.example */
  readonly users?: readonly DevUser[];
  readonly clients?: readonly DevClient[];
  /** `refuse`: only registered clients get anything (AADSTS700016). @default 'accept' */
  readonly unknownClients?: 'accept' | 'refuse';
  /** Port on loopback; 0 picks a free one. @default 0 */
  readonly port?: number;
  /** Directory (tenant) id that `common` and `organizations` lead to. */
  readonly tenantId?: string;
  /** Lifetime of access tokens in seconds. @default 3600 */
  readonly accessTokenSeconds?: number;
  /** Lifetime of refresh tokens in seconds. @default 7776000 (90 days) */
  readonly refreshTokenSeconds?: number;
  /** When set, token answers carry `refresh_in` with this many seconds. */
  readonly refreshInSeconds?: number;
  /**
   * `reusable`: a used refresh token stays valid, as with Entra ID. `one-time`: using it twice is refused.
   * `one-time-revoking`: using it twice revokes every token of that sign-in.
   * @default 'reusable'
   */
  readonly refreshTokens?: RefreshTokenMode;
  /** Seconds between polls that the device code flow asks for. @default 1 */
  readonly deviceCodeIntervalSeconds?: number;
  /** RS256 is what Entra ID uses; ES256 signs several times as fast, for tests under load. @default 'RS256' */
  readonly signingAlgorithm?: SigningAlgorithm;
  /** Scopes that are asked for but never granted: answers then name fewer scopes than the request. */
  readonly withheldScopes?: readonly string[];
}

/** Options with every default filled in; this travels to the server thread. */
export interface Settings {
  readonly users: readonly DevUser[];
  readonly clients: readonly DevClient[];
  readonly unknownClients: 'accept' | 'refuse';
  readonly port: number;
  readonly tenantId: string;
  readonly accessTokenSeconds: number;
  readonly refreshTokenSeconds: number;
  readonly refreshInSeconds: number | undefined;
  readonly refreshTokens: RefreshTokenMode;
  readonly deviceCodeIntervalSeconds: number;
  readonly signingAlgorithm: SigningAlgorithm;
  readonly withheldScopes: readonly string[];
}

const DEFAULTS: Settings = {
  users: [
    { username: 'ada@contoso.example', name: 'Ada Lovelace' },
    { username: 'ben@contoso.example', name: 'Ben Bitdiddle' },
    {
      username: 'gwen@fabrikam.example',
      name: 'Gwen Guest',
      guest: { homeTenantId: '99999999-8888-7777-6666-555555555555' },
    },
  ],
  clients: [],
  unknownClients: 'accept',
  port: 0,
  tenantId: '11111111-2222-3333-4444-555555555555',
  accessTokenSeconds: 3600,
  refreshTokenSeconds: 90 * 86_400,
  refreshInSeconds: undefined,
  refreshTokens: 'reusable',
  deviceCodeIntervalSeconds: 1,
  signingAlgorithm: 'RS256',
  withheldScopes: [],
};

const CHOICES: Partial<Record<keyof Settings, readonly unknown[]>> = {
  refreshTokens: ['reusable', 'one-time', 'one-time-revoking'],
  unknownClients: ['accept', 'refuse'],
  signingAlgorithm: ['RS256', 'ES256'],
};

/**
 * The options with defaults filled in.
 * @throws TypeError for an unknown option or a value out of range
 */
export function resolveSettings(options: DevAuthorityOptions): Settings {
  for (const name of Object.keys(options)) {
    if (!(name in DEFAULTS)) throw new TypeError(`Unknown option "${name}". Known: ${Object.keys(DEFAULTS).join(', ')}.`);
  }
  for (const user of options.users ?? []) checkUser(user);
  for (const client of options.clients ?? []) checkClient(client);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: Settings = { ...DEFAULTS, ...given };
  for (const name of ['accessTokenSeconds', 'refreshTokenSeconds', 'deviceCodeIntervalSeconds'] as const) {
    if (!Number.isSafeInteger(settings[name]) || settings[name] < 1)
      throw new TypeError(`${name} must be a whole number from 1.`);
  }
  for (const [name, choices = []] of Object.entries(CHOICES)) {
    if (!choices.includes(settings[name as keyof Settings])) throw new TypeError(`${name} must be one of ${choices.join(', ')}.`);
  }
  return settings;
}

/** @throws TypeError for a name that means nothing (a secret under it would be no secret), and for a certificate that is none */
export function checkClient(client: DevClient): void {
  checkNames('client', client, [
    'clientId',
    'clientSecret',
    'certificate',
    'redirectUris',
    'allowPublicClient',
    'appRoles',
  ] satisfies (keyof DevClient)[]);
  for (const pem of [client.certificate ?? []].flat()) {
    try {
      createPublicKey(pem);
    } catch {
      throw new TypeError(`The certificate of the client "${client.clientId}" is neither a PEM certificate nor a public key.`);
    }
  }
}

/** @throws TypeError for a name that means nothing, and for a user without a name */
export function checkUser(user: DevUser): void {
  checkNames('user', user, ['username', 'password', 'name', 'oid', 'guest'] satisfies (keyof DevUser)[]);
  if (typeof user.username !== 'string' || user.username === '') throw new TypeError('A user needs a username.');
}
