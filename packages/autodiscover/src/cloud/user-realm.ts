import { parseJsonObject } from '../v2/v2-response.js';

/** How a domain signs in. Microsoft documents none of it: hints, nothing more. */
export interface UserRealm {
  /** `Managed`, `Federated`, `Unknown`, or a word of tomorrow. */
  readonly namespaceType?: string;
  /** Sign-in page of a federated domain. */
  readonly federationUrl?: string;
  readonly brandName?: string;
  readonly cloudInstanceName?: string;
}

/** Asks for `x@domain`, so that nobody's name is told. */
export function userRealmUrl(authority: string, domain: string): URL {
  const url = new URL('/getuserrealm.srf', new URL(authority).origin);
  url.searchParams.set('login', `x@${domain}`);
  url.searchParams.set('json', '1');
  return url;
}

/** @throws AutodiscoverError `MALFORMED_RESPONSE` */
export function readUserRealm(text: string): UserRealm {
  const body = parseJsonObject(text);
  const fields = {
    namespaceType: 'NameSpaceType',
    federationUrl: 'AuthURL',
    brandName: 'FederationBrandName',
    cloudInstanceName: 'CloudInstanceName',
  };
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, from]) => (typeof body[from] === 'string' ? [[name, body[from]]] : [])),
  );
}
