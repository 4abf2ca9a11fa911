import { strictOptions } from '../options.js';
import { Protocol } from './protocol.js';
import { graphScopeHelpers } from './scopes.js';
import { serviceOrigin } from './service-origin.js';

export interface MSGraphProtocolOptions {
  /** `v1.0` or `beta`. @default 'v1.0' */
  readonly apiVersion?: string;
  /** @default 'me' */
  readonly defaultResource?: string;
  /** IANA or Windows name. @default this machine's zone */
  readonly timezone?: string;
  /**
   * Host of the service, with a port where it is not 443; sets the service URL and the scope prefix together. The account's
   * `cloud` option fills it in. @default 'graph.microsoft.com'
   */
  readonly host?: string;
}

const OPTIONS = [
  'apiVersion',
  'defaultResource',
  'timezone',
  'host',
] as const satisfies readonly (keyof MSGraphProtocolOptions)[];

/** Type names of Microsoft Graph, by the keyword names of python-o365. */
const KEYWORDS = Object.freeze({
  message_type: 'microsoft.graph.message',
  event_message_type: 'microsoft.graph.eventMessage',
  file_attachment_type: '#microsoft.graph.fileAttachment',
  item_attachment_type: '#microsoft.graph.itemAttachment',
});

/** Microsoft Graph, in any cloud. */
export class MSGraphProtocol extends Protocol {
  constructor(options: MSGraphProtocolOptions = {}) {
    const { apiVersion = 'v1.0', host = 'graph.microsoft.com', ...rest } = strictOptions('MSGraphProtocol', options, OPTIONS);
    const origin = serviceOrigin(host);
    super({
      ...rest,
      apiVersion,
      protocolUrl: origin,
      scopePrefix: origin,
      scopeHelpers: graphScopeHelpers,
      keywords: KEYWORDS,
      maxTopValue: 999,
    });
  }
}
