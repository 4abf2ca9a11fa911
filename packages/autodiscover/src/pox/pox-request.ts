import { escapeXml } from '../xml/escape.js';

const REQUEST = 'http://schemas.microsoft.com/exchange/autodiscover/';

/** What a POX answer shall describe: Outlook's protocols, or ActiveSync. */
export type PoxSchema = 'outlook' | 'mobilesync';

export interface PoxRequest {
  readonly address?: string;
  /** Wins over `address`, as the protocol demands. */
  readonly legacyDn?: string;
  readonly schema?: PoxSchema;
}

/** Tells the server that MAPI over HTTP is understood. */
export const POX_HEADERS = { 'content-type': 'text/xml; charset=utf-8', 'x-mapihttpcapability': '1' } as const;

/** The plain-XML request that servers before SOAP, and many mail hosts, understand. */
export function poxBody({ address = '', legacyDn, schema = 'outlook' }: PoxRequest): string {
  const who =
    legacyDn === undefined ? `<EMailAddress>${escapeXml(address)}</EMailAddress>` : `<LegacyDN>${escapeXml(legacyDn)}</LegacyDN>`;
  const response = schema === 'outlook' ? 'outlook/responseschema/2006a' : 'mobilesync/responseschema/2006';
  return (
    `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="${REQUEST}${schema}/requestschema/2006">` +
    `<Request>${who}<AcceptableResponseSchema>${REQUEST}${response}</AcceptableResponseSchema></Request></Autodiscover>`
  );
}
