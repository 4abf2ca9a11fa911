import type { PoxProtocol, PoxResponse } from './pox-response.js';

/** An EWS address and whether it is meant for inside or outside the organisation. */
export interface PoxEws {
  readonly externalUrl?: string;
  readonly internalUrl?: string;
}

/**
 * The EWS addresses of a POX answer. Outside: the first EXPR with one, then EXHTTP marked external; inside: EXCH. `ASUrl`
 * is the documented substitute for `EwsUrl`, also where only WEB carries it (exchangelib #802, #806).
 */
export function selectEws({ protocols }: PoxResponse): PoxEws {
  const of = (type: string, field: 'EwsUrl' | 'ASUrl') =>
    protocols.find((protocol) => isType(protocol, type) && fieldOf(protocol, field))?.fields;
  const url = (type: string) => fieldIn(of(type, 'EwsUrl'), 'EwsUrl') ?? fieldIn(of(type, 'ASUrl'), 'ASUrl');
  const web = (side: 'internal' | 'external') =>
    protocols.flatMap((protocol) => (isType(protocol, 'WEB') ? protocol.asUrls : [])).find((found) => found.side === side)?.url;
  const externalUrl = url('EXPR') ?? url('EXHTTP') ?? web('external');
  const internalUrl = url('EXCH') ?? web('internal');
  return { ...(externalUrl ? { externalUrl } : {}), ...(internalUrl ? { internalUrl } : {}) };
}

/** How EWS at a protocol is signed in to, by its `AuthPackage`: a scheme name, or nothing when it says none. */
export function authPackageScheme(protocol: PoxProtocol): string | undefined {
  if (/^off$/i.test(fieldOf(protocol, 'AuthRequired') ?? '')) return 'Anonymous';
  return AUTH_PACKAGES[(fieldOf(protocol, 'AuthPackage') ?? '').toLowerCase()];
}

const AUTH_PACKAGES: Readonly<Record<string, string>> = {
  basic: 'Basic',
  kerb: 'Kerberos',
  kerbntlm: 'NTLM',
  ntlm: 'NTLM',
  certificate: 'Certificate',
  negotiate: 'Negotiate',
  nego2: 'Negotiate',
  anonymous: 'Anonymous',
};

/** Error texts of Exchange for an unknown mailbox, in its two wordings; other languages only show the code. */
export function isUnknownMailbox(error: { readonly code: string; readonly message: string }): boolean {
  return /^the e-?mail address (cannot|can.t) be found\.?$/i.test(error.message.trim()) || error.code === '500';
}

export function isType(protocol: PoxProtocol, type: string): boolean {
  return protocol.type.toLowerCase() === type.toLowerCase();
}
/** A field by its name without regard to case. */
export function fieldOf(protocol: PoxProtocol, name: string): string | undefined {
  return fieldIn(protocol.fields, name);
}
function fieldIn(fields: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  if (!fields) return undefined;
  return fields[name] ?? Object.entries(fields).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}
