import { invalidArgument, strictOptions } from '../options.js';
import { Protocol } from './protocol.js';
import { businessCentralScopeHelpers } from './scopes.js';
import { serviceOrigin } from './service-origin.js';

export interface MSBusinessCentral365ProtocolOptions {
  /** Name of the Business Central environment. @default 'production' */
  readonly environment?: string;
  /** @default 'v2.0' */
  readonly apiVersion?: string;
  /** IANA or Windows name. @default this machine's zone */
  readonly timezone?: string;
  /** Host of the service, with a port where it is not 443. @default 'api.businesscentral.dynamics.com' */
  readonly host?: string;
}

const OPTIONS = [
  'environment',
  'apiVersion',
  'timezone',
  'host',
] as const satisfies readonly (keyof MSBusinessCentral365ProtocolOptions)[];

/**
 * Dynamics 365 Business Central online: `https://api.businesscentral.dynamics.com/v2.0/<environment>/api/v2.0/`.
 * It has no `me`; its default resource is none. Its scope helpers are its own: `financials_all`, `automation_all`, …
 * Source: "Endpoints for the APIs" in Microsoft's Business Central developer documentation.
 */
export class MSBusinessCentral365Protocol extends Protocol {
  constructor(options: MSBusinessCentral365ProtocolOptions = {}) {
    const {
      environment = 'production',
      apiVersion = 'v2.0',
      host = 'api.businesscentral.dynamics.com',
      ...rest
    } = strictOptions('MSBusinessCentral365Protocol', options, OPTIONS);
    if (!/^[\w-]+$/.test(environment)) throw invalidArgument('environment must be the name of a Business Central environment.');
    const origin = serviceOrigin(host);
    super({
      ...rest,
      apiVersion,
      protocolUrl: `${origin}v2.0/${environment}/api/`,
      // Permissions belong to the service's public identity, wherever a test serves it from.
      scopePrefix: 'https://api.businesscentral.dynamics.com/',
      scopeHelpers: businessCentralScopeHelpers,
      defaultResource: '',
      maxTopValue: 999,
    });
  }
}
