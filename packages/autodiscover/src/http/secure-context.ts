import tls from 'node:tls';
import { BoundedMap } from '../cache/bounded-map.js';

const contexts = new BoundedMap<tls.SecureContext>(16);
/** Made once: reading the system's 150 certificates anew for every connection, or every client, costs tens of milliseconds. */
export function secureContext(ca = ''): tls.SecureContext {
  const known = contexts.get(ca);
  if (known) return known;
  const context = tls.createSecureContext({
    minVersion: 'TLSv1.2',
    ...(ca === '' ? {} : { ca: [...tls.getCACertificates('default'), ca] }),
  });
  contexts.set(ca, context);
  return context;
}
