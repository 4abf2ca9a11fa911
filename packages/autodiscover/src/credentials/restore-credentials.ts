import { invalidArgument, strictOptions } from '@tokenry/core/backend';
import type { CloudName } from '../cloud/clouds.js';
import type { BaseCredentials, CredentialsDescriptor } from './base-credentials.js';
import type { OAuth2CredentialsOptions } from './base-oauth2-credentials.js';
import { Identity } from './identity.js';
import { O365InteractiveCredentials } from './o365-interactive-credentials.js';
import { OAuth2AuthorizationCodeCredentials } from './oauth2-authorization-code-credentials.js';
import { OAuth2Credentials } from './oauth2-credentials.js';
import { OAuth2LegacyCredentials } from './oauth2-legacy-credentials.js';
import type { OAuth2Token } from './oauth2-token.js';
import { UsernamePasswordCredentials } from './username-password-credentials.js';

export interface CredentialsSecrets {
  readonly password?: string;
  readonly clientSecret?: string;
  readonly authorizationCode?: string;
  readonly accessToken?: OAuth2Token;
}

/**
 * Credentials again, from what `serialize()` gave and the secrets that it left out.
 * @throws TypeError when `descriptor` is not one, or a secret of its kind is missing.
 */
export function restoreCredentials(descriptor: CredentialsDescriptor, secrets: CredentialsSecrets = {}): BaseCredentials {
  const { password, clientSecret, authorizationCode, accessToken } = strictOptions('restoreCredentials', secrets, [
    'password',
    'clientSecret',
    'authorizationCode',
    'accessToken',
  ]);
  const { kind, username = '', instance } = descriptor;
  const common = { ...namesOf(descriptor), accessToken };
  const own = instance === undefined ? {} : { instance };
  switch (kind) {
    case 'username-password':
      return new UsernamePasswordCredentials(username, given(password, 'password'));
    case 'oauth2':
      return new OAuth2Credentials({ ...common, clientSecret: given(clientSecret, 'clientSecret') }, own);
    case 'oauth2-legacy':
      return new OAuth2LegacyCredentials({ ...common, clientSecret, username, password: given(password, 'password') });
    case 'oauth2-authorization-code':
      return new OAuth2AuthorizationCodeCredentials(
        { ...common, clientId: descriptor.clientId, clientSecret, authorizationCode },
        own,
      );
    case 'o365-interactive':
      return new O365InteractiveCredentials({ ...common, username });
    default:
      throw invalidArgument('restoreCredentials: this is not a description of built-in credentials.');
  }
}

function namesOf({
  clientId = '',
  tenantId,
  cloud,
  identity,
}: CredentialsDescriptor): OAuth2CredentialsOptions & { clientId: string } {
  return {
    clientId,
    tenantId,
    cloud: cloud as CloudName | undefined,
    identity: identity && new Identity(identity),
  };
}

function given(secret: string | undefined, name: string): string {
  if (secret === undefined) throw invalidArgument(`restoreCredentials: these credentials need their "${name}".`);
  return secret;
}
