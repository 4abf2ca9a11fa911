import { isLoopback } from '../http/loopback.js';
import { invalidArgument, outOfRange, strictOptions } from '../options.js';
import { camelCase, snakeCase } from './casing.js';
import { resourcePath } from './resource.js';
import { prefixedScope, resolveScopes, type ScopeHelpers, type Scopes } from './scopes.js';
import { checkedTimezone, ianaToWindows, systemTimezone } from './timezone.js';

export interface ProtocolOptions {
  /** Where the API lives, without its version: `https://graph.microsoft.com/`. https, or http on loopback. */
  readonly protocolUrl: string;
  /** The last part of the service URL, such as `v1.0`. */
  readonly apiVersion: string;
  /** Put before short scopes. @default '' */
  readonly scopePrefix?: string;
  /** Resource used where a call names none. @default 'me' */
  readonly defaultResource?: string;
  /** IANA or Windows name. @default this machine's zone */
  readonly timezone?: string;
  /** Helper names and the permissions they stand for. @default none: every word is a permission */
  readonly scopeHelpers?: ScopeHelpers;
  /** Words of this API, such as `message_type`, for `getServiceKeyword`. */
  readonly keywords?: Readonly<Record<string, string>>;
  /** Largest `$top` the API takes. @default 500 */
  readonly maxTopValue?: number;
  /** How keys are written on the wire; `false` leaves them as they are. @default camelCase */
  readonly casing?: ((key: string) => string) | false;
}

const OPTIONS = [
  'protocolUrl',
  'apiVersion',
  'scopePrefix',
  'defaultResource',
  'timezone',
  'scopeHelpers',
  'keywords',
  'maxTopValue',
  'casing',
] as const satisfies readonly (keyof ProtocolOptions)[];

/**
 * One API: its service URL, scopes, key casing, default resource and time zone. Subclass it, or pass options, for an API
 * that is not built in.
 *
 * @example
 * class ContosoProtocol extends Protocol {
 *   constructor() {
 *     super({ protocolUrl: 'https://api.contoso.example/', apiVersion: 'v2', scopePrefix: 'api://contoso/' });
 *   }
 * }
 */
export class Protocol {
  /** `protocolUrl` + `apiVersion` + `/`: what relative URLs resolve against. */
  readonly serviceUrl: string;
  /** Base URL with a slash at its end. */
  readonly protocolUrl: string;
  readonly apiVersion: string;
  readonly scopePrefix: string;
  readonly defaultResource: string;
  /** Largest `$top` the API takes. */
  readonly maxTopValue: number;
  readonly #scopeHelpers: ScopeHelpers;
  readonly #keywords: ReadonlyMap<string, string>;
  readonly #casing: ((key: string) => string) | false;
  #timezone: string | undefined;

  /**
   * @throws TypeError when `protocolUrl` or `apiVersion` is missing or the URL is neither https nor loopback, when an option
   * is unknown, or when the time zone is.
   */
  constructor(options: ProtocolOptions) {
    const checked = strictOptions(new.target.name, options, OPTIONS);
    this.protocolUrl = checkedProtocolUrl(checked.protocolUrl);
    if (typeof checked.apiVersion !== 'string' || checked.apiVersion === '')
      throw invalidArgument('Protocol: apiVersion is required.');
    this.apiVersion = checked.apiVersion;
    this.serviceUrl = `${this.protocolUrl}${encodeURI(checked.apiVersion.replace(/^\/+|\/+$/g, ''))}/`;
    this.scopePrefix = checked.scopePrefix ?? '';
    this.defaultResource = checked.defaultResource ?? 'me';
    this.maxTopValue = checkedTop(checked.maxTopValue ?? 500);
    this.#scopeHelpers = checked.scopeHelpers ?? {};
    this.#keywords = new Map(Object.entries(checked.keywords ?? {}));
    this.#casing = checked.casing ?? camelCase;
    if (checked.timezone !== undefined) this.timezone = checked.timezone;
  }

  /** IANA name of the zone that dates are asked for in. Setting takes a Windows name too; an unknown one is a TypeError. */
  get timezone(): string {
    this.#timezone ??= systemTimezone();
    return this.#timezone;
  }
  set timezone(zone: string) {
    this.#timezone = checkedTimezone(zone);
  }

  /** Value of the `Prefer` header for dates in `timezone`: `outlook.timezone="Romance Standard Time"`. */
  get preferTimezone(): string {
    return `outlook.timezone="${ianaToWindows(this.timezone)}"`;
  }

  /**
   * Full scopes for helper names, short and full scopes, in the order given, each once. Reserved OpenID Connect scopes stay
   * without prefix; absolute ones stay as they are.
   * @throws TypeError for an unknown lower-case word, naming the nearest helper, and for no scopes at all.
   */
  getScopesFor(scopes: Scopes): string[] {
    return resolveScopes(scopes, { prefix: this.scopePrefix, helpers: this.#scopeHelpers });
  }

  /** `scope` with this protocol's prefix, unless it is absolute or reserved already. */
  prefixScope(scope: string): string {
    return prefixedScope(scope, this.scopePrefix);
  }

  /** A key as this API writes it: `received_date_time` → `receivedDateTime`. */
  convertCase(key: string): string {
    return this.#casing ? this.#casing(key) : key;
  }

  /** A key in snake_case: `receivedDateTime` → `received_date_time`. */
  static toApiCase(key: string): string {
    return snakeCase(key);
  }

  /** This API's word for `name` (`message_type`, or `messageType`); `undefined` where it has none. */
  getServiceKeyword(name: string): string | undefined {
    const key = snakeCase(name);
    return key === 'prefer_timezone_header' ? this.preferTimezone : (this.#keywords.get(name) ?? this.#keywords.get(key));
  }

  /**
   * Absolute URL of `path` under a resource: `resourceUrl('messages', 'user:ada@contoso.com')`.
   * @param resource shorthand or path, see `resourcePath`. @default `defaultResource`
   */
  resourceUrl(path = '', resource: string = this.defaultResource): string {
    const parts = [resourcePath(resource), path.replace(/^\/+/, '')].filter((part) => part !== '');
    return this.serviceUrl + parts.join('/');
  }
}

function checkedProtocolUrl(value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (!url) throw invalidArgument('Protocol: protocolUrl is required and must be an absolute URL.');
  // A bearer token never goes over plain http, so a protocol that asks for it could only ever fail later.
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url)))
    throw invalidArgument('Protocol: protocolUrl must be https (http is for loopback addresses only).');
  if (url.username || url.password || url.search || url.hash)
    throw invalidArgument('Protocol: protocolUrl must not carry credentials, a query or a fragment.');
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}

function checkedTop(value: number): number {
  if (!Number.isInteger(value) || value < 1) throw outOfRange('Protocol: maxTopValue must be a positive whole number.');
  return value;
}
