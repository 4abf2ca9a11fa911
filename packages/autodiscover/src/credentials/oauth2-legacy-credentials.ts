import type { AccountOptions, ApplicationCredentials } from '@tokenry/core';
import { invalidArgument } from '@tokenry/core/backend';
import type { CredentialsDescriptor } from './base-credentials.js';
import { type AccessTokenRequest, BaseOAuth2Credentials, type OAuth2CredentialsOptions } from './base-oauth2-credentials.js';

/**
 * User name and password exchanged for a token (resource owner password grant). Legacy: it fails wherever a second
 * factor or conditional access applies.
 */
export class OAuth2LegacyCredentials extends BaseOAuth2Credentials {
  readonly kind = 'oauth2-legacy';
  readonly username: string;
  readonly #password: string;

  constructor(
    options: OAuth2CredentialsOptions & { readonly clientId: string; readonly username: string; readonly password: string },
  ) {
    const { username, password, ...rest } = options;
    super(rest);
    this.requireClient('OAuth2LegacyCredentials');
    if (typeof username !== 'string' || typeof password !== 'string')
      throw invalidArgument('OAuth2LegacyCredentials: user name and password must be strings.');
    this.username = username;
    this.#password = password;
    this.fix('username');
  }

  protected override defaultScopes(): readonly string[] {
    return [`https://${this.cloud.exchangeHost}/EWS.AccessAsUser.All`];
  }
  protected override get defaultTenant(): string {
    return 'organizations';
  }

  override tokenParams(): Record<string, unknown> {
    return { ...super.tokenParams(), username: this.username, password: this.#password };
  }

  override toAccountOptions(): Partial<AccountOptions> {
    return {
      authFlowType: 'password' as const,
      username: this.username,
      password: this.#password,
      tenantId: this.defaultTenant,
      ...super.toAccountOptions(),
    };
  }

  /** The password grant runs as a public client where there is no secret. */
  override toApplicationCredentials(): ApplicationCredentials {
    const clientId = this.requireClient('OAuth2LegacyCredentials');
    const secret = this.revealClientSecret();
    return secret === undefined ? [clientId] : [clientId, secret];
  }

  protected override canSignIn(): boolean {
    return true;
  }
  protected override async prepareAccount({ signal }: AccessTokenRequest): Promise<void> {
    if (await this.account.isAuthenticated()) return;
    await this.account.authenticate({ scopes: this.scopes, ...(signal ? { signal } : {}) });
  }

  override serialize(): CredentialsDescriptor {
    return { ...super.serialize(), username: this.username };
  }
  protected override secretParts(): readonly string[] {
    return [this.username, this.#password];
  }
}
