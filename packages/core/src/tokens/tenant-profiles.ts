import { tenantOfHomeId } from './entity-keys.js';
import { type Claims, textClaim } from './id-token-claims.js';
import type { AccountEntity } from './schema.js';

/** What an account is called in one tenant; msal-node lists a person once per profile. */
interface TenantProfile {
  readonly tenantId: string;
  readonly localAccountId: string;
  readonly name?: string;
  readonly username: string;
  readonly isHomeTenant: boolean;
}

/** `profiles` (JSON texts) with the one of this id token's tenant added or replaced. */
export function withProfile(profiles: readonly string[] | undefined, homeAccountId: string, claims: Claims): readonly string[] {
  const tenantId = textClaim(claims, 'tid') ?? '';
  const profile = profileText(homeAccountId, {
    tenantId,
    localAccountId: textClaim(claims, 'oid', 'sub') ?? '',
    name: textClaim(claims, 'name'),
    username: textClaim(claims, 'preferred_username', 'upn', 'email') ?? '',
  });
  return upsert(profiles ?? [], tenantId, profile);
}

/** MSAL Python keeps one account entry per tenant; msal-node one entry with a profile per tenant. */
export function profilesOfDuplicates(accounts: readonly AccountEntity[]): readonly string[] {
  let profiles: readonly string[] = accounts.flatMap((account) => account.tenantProfiles ?? []);
  profiles = [...new Map(profiles.map((text) => [tenantOfProfile(text), text])).values()];
  for (const account of accounts) {
    const tenantId = account.realm ?? '';
    if (profiles.some((text) => tenantOfProfile(text) === tenantId)) continue;
    const profile = {
      tenantId,
      localAccountId: account.local_account_id ?? '',
      name: account.name,
      username: account.username ?? '',
    };
    profiles = upsert(profiles, tenantId, profileText(account.home_account_id, profile));
  }
  return Object.freeze(profiles);
}

function profileText(
  homeAccountId: string,
  profile: Omit<TenantProfile, 'isHomeTenant' | 'name'> & { readonly name: string | undefined },
): string {
  const isHomeTenant = profile.tenantId !== '' && profile.tenantId.toLowerCase() === tenantOfHomeId(homeAccountId);
  return JSON.stringify({ ...profile, isHomeTenant } satisfies Record<keyof TenantProfile, unknown>);
}

function upsert(profiles: readonly string[], tenantId: string, profile: string): readonly string[] {
  const at = profiles.findIndex((text) => tenantOfProfile(text) === tenantId);
  return Object.freeze(at < 0 ? [...profiles, profile] : profiles.with(at, profile));
}

function tenantOfProfile(text: string): string | undefined {
  try {
    const { tenantId } = JSON.parse(text) as { tenantId?: unknown };
    return typeof tenantId === 'string' ? tenantId : undefined;
  } catch {
    return undefined;
  }
}
