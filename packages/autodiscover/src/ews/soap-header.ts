import { SaxesParser } from 'saxes';
import type { Identity } from '../credentials/identity.js';
import { impersonationElement } from './impersonation.js';

/**
 * Puts the `ExchangeImpersonation` header into a SOAP envelope that has none. A text that is no envelope, or names somebody
 * to impersonate itself, comes back unchanged.
 */
export function withImpersonation(envelope: string, identity: Identity): string {
  const element = impersonationElement(identity);
  if (element === '' || /ExchangeImpersonation/.test(envelope) || /<!DOCTYPE/i.test(envelope)) return envelope;
  const place = findPlace(envelope);
  if (!place) return envelope;
  const { at, selfClosed, headerName, prefix } = place;
  if (!headerName) return `${envelope.slice(0, at)}<${prefix}Header>${element}</${prefix}Header>${envelope.slice(at)}`;
  if (!selfClosed) return envelope.slice(0, at) + element + envelope.slice(at);
  const open = envelope.slice(0, at).replace(/\/\s*>$/, '>');
  return `${open}${element}</${headerName}>${envelope.slice(at)}`;
}

interface Place {
  /** Just behind the start tag of Header, or of Envelope where there is no Header. */
  readonly at: number;
  readonly selfClosed: boolean;
  readonly headerName?: string;
  readonly prefix: string;
}

function findPlace(envelope: string): Place | undefined {
  const parser = new SaxesParser({ xmlns: true });
  let place: Place | undefined;
  let depth = 0;
  let broken = false;
  parser.on('error', () => {
    broken = true;
  });
  parser.on('opentag', (tag) => {
    depth++;
    const prefix = tag.prefix === '' ? '' : `${tag.prefix}:`;
    if (depth === 1 && tag.local === 'Envelope' && !tag.isSelfClosing) place = { at: parser.position, selfClosed: false, prefix };
    if (depth === 2 && tag.local === 'Header' && place)
      place = { ...place, at: parser.position, selfClosed: tag.isSelfClosing, headerName: tag.name };
  });
  parser.on('closetag', () => {
    depth--;
  });
  parser.write(envelope).close();
  return broken ? undefined : place;
}
