import { type AccountOptions, type ConsentHandler, loopbackConsent } from '@tokenry/core';
import type { CredentialsDescriptor } from './base-credentials.js';
import { type AccessTokenRequest, BaseOAuth2Credentials, type OAuth2CredentialsOptions } from './base-oauth2-credentials.js';

/**
 * A person who signs in with a browser on this machine, once; afterwards the refresh token in the backend serves.
 *
 * @example
 * ```ts
 * const credentials = new O365InteractiveCredentials({ clientId: 'id', username: 'ada@contoso.example' });
 * ```
 */
export class O365InteractiveCredentials extends BaseOAuth2Credentials {
  readonly kind = 'o365-interactive';
  readonly username: string;
  readonly #handleConsent: ConsentHandler;

  constructor(
    options: Omit<OAuth2CredentialsOptions, 'clientSecret'> & {
      readonly clientId: string;
      readonly username: string;
      /** @default loopbackConsent() */
      readonly handleConsent?: ConsentHandler;
    },
  ) {
    const { username, handleConsent, ...rest } = options;
    super(rest);
    this.requireClient('O365InteractiveCredentials');
    this.username = username;
    this.#handleConsent = handleConsent ?? loopbackConsent();
    this.fix('username');
  }

  protected override defaultScopes(): readonly string[] {
    return [`https://${this.cloud.exchangeHost}/EWS.AccessAsUser.All`];
  }
  protected override get defaultTenant(): string {
    return 'organizations';
  }

  override toAccountOptions(): Partial<AccountOptions> {
    return {
      authFlowType: 'public' as const,
      tenantId: this.defaultTenant,
      username: this.username,
      ...super.toAccountOptions(),
    };
  }

  protected override canSignIn(): boolean {
    return true;
  }
  protected override async prepareAccount({ signal }: AccessTokenRequest): Promise<void> {
    if (await this.account.isAuthenticated()) return;
    await this.account.authenticate({
      handleConsent: this.#handleConsent,
      scopes: this.scopes,
      loginHint: this.username,
      ...(signal ? { signal } : {}),
    });
  }

  override serialize(): CredentialsDescriptor {
    return { ...super.serialize(), username: this.username };
  }
  protected override secretParts(): readonly string[] {
    return [this.username];
  }
}
