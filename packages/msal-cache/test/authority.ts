import tls from 'node:tls';
import type { DevAuthority } from '@tokenry/dev-authority';

/** Lets everything in this process trust the authority, for clients that take no certificates. */
export function trustAuthority(authority: DevAuthority): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority.accountOptions.ca]);
}
