import type { Identity } from '../credentials/identity.js';
import { escapeXml } from '../xml/escape.js';

const TYPES_NS = 'http://schemas.microsoft.com/exchange/services/2006/types';

/** The `ExchangeImpersonation` SOAP header for an identity; empty when the identity names nobody. */
export function impersonationElement(identity: Identity): string {
  const sid = identity.connectingSid;
  if (!sid) return '';
  return (
    `<t:ExchangeImpersonation xmlns:t="${TYPES_NS}"><t:ConnectingSID>` +
    `<t:${sid.element}>${escapeXml(sid.value)}</t:${sid.element}></t:ConnectingSID></t:ExchangeImpersonation>`
  );
}
