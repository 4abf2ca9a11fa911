/**
 * What the examples run against: your own app registration when CLIENT_ID is set (with CLIENT_SECRET and TENANT_ID), the
 * authority in DEV_AUTHORITY (a line of `npx tokenry-dev-authority --json`), or else an authorization server that is
 * started here, in this process, with a script in the person's place.
 */
import type { AccountOptions, LoopbackConsentOptions } from '@tokenry/core';
import { type DevAuthority, type DevAuthorityOptions, startDevAuthority } from '@tokenry/dev-authority';

const { CLIENT_ID, CLIENT_SECRET = 'secret-TEST-example', TENANT_ID = 'common', DEV_AUTHORITY } = process.env;

export interface Surroundings {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the authorization server is; for Entra ID only `tenantId`. */
  readonly accountOptions: Pick<AccountOptions, 'cloud' | 'ca' | 'tenantId'>;
  /** The system's browser, or the script. */
  readonly browser: LoopbackConsentOptions;
  /** The server that was started here: with it, people can be played by a script. */
  readonly authority?: DevAuthority;
}

/** `username` is who the script signs in. */
export async function surroundings(username: string, options: DevAuthorityOptions = {}): Promise<Surroundings> {
  const known = { clientId: CLIENT_ID ?? 'tokenry-example', clientSecret: CLIENT_SECRET, browser: {} };
  if (CLIENT_ID !== undefined) return { ...known, accountOptions: { tenantId: TENANT_ID } };
  if (DEV_AUTHORITY !== undefined) {
    const { ca, cloud, tenantId } = JSON.parse(DEV_AUTHORITY);
    return { ...known, accountOptions: { ca, cloud, tenantId } };
  }
  const authority = await localAuthority(options);
  return {
    ...known,
    accountOptions: authority.accountOptions,
    browser: { openBrowser: authority.openBrowserAs(username) },
    authority,
  };
}

/** For examples that need more than an account: a server to play with, whatever the environment says. */
export function localAuthority(options: DevAuthorityOptions = {}): Promise<DevAuthority> {
  return startDevAuthority({ users: [{ username: 'ada@contoso.example', name: 'Ada Lovelace' }], ...options });
}
