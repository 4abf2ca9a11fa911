import type { AccountOptions, ApplicationCredentials } from '@tokenry/core';
import { invalidArgument } from '@tokenry/core/backend';
import { type AccessTokenRequest, BaseOAuth2Credentials, type OAuth2CredentialsOptions } from './base-oauth2-credentials.js';

/**
 * A program that speaks for itself (client credentials grant), or for a mailbox owner through `identity`.
 *
 * @example
 * ```ts
 * const credentials = new OAuth2Credentials({ clientId: 'id', clientSecret: 'secret', tenantId: 'contoso.example' });
 * ```
 */
export class OAuth2Credentials extends BaseOAuth2Credentials {
  readonly kind = 'oauth2';

  constructor(
    options: OAuth2CredentialsOptions & { readonly clientId: string; readonly clientSecret: string },
    own?: { readonly instance?: string },
  ) {
    super(options, own);
    this.requireClient('OAuth2Credentials');
  }

  override toAccountOptions(): Partial<AccountOptions> {
    return { authFlowType: 'credentials' as const, ...super.toAccountOptions() };
  }

  /** The tenant must be named: Entra has no `common` for programs. */
  protected override async prepareAccount(_request: AccessTokenRequest): Promise<void> {
    if (this.tenantId === undefined || this.tenantId === 'common' || this.tenantId === 'organizations')
      throw invalidArgument('OAuth2Credentials: a program signs in to one tenant; set tenantId to its id or domain.');
  }

  override toApplicationCredentials(): ApplicationCredentials {
    return [this.requireClient('OAuth2Credentials'), this.revealClientSecret() ?? ''];
  }
}
