import { invalidArgument } from '@tokenry/core/backend';
import type { UsernamePasswordCredentials } from '../credentials/username-password-credentials.js';
import { isMicrosoftHost } from '../trust/microsoft-hosts.js';
import type { AuthScheme } from './auth-scheme.js';

/**
 * User name and password in the `Authorization` header (RFC 7617), only after the server has offered Basic, and never to
 * Exchange Online, which has refused it for good since January 2023.
 * @throws TypeError for a user name with a colon, which Basic cannot carry
 */
export function basicAuth(credentials: UsernamePasswordCredentials): AuthScheme {
  if (credentials.username.includes(':')) throw invalidArgument('basicAuth: a user name with a colon cannot be sent by Basic.');
  return Object.freeze({
    name: 'Basic',
    accepts: (url: URL) => !isMicrosoftHost(url.hostname),
    authorize: async ({ round }: { round: number }) =>
      round === 1
        ? `Basic ${Buffer.from(`${credentials.username}:${credentials.revealPassword()}`).toString('base64')}`
        : undefined,
  });
}
