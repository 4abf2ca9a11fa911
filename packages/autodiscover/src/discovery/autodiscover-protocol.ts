import { invalidArgument, strictOptions, systemClock } from '@tokenry/core/backend';
import { parseMailAddress } from '../address/mail-address.js';
import type { AuthScheme } from '../auth/auth-scheme.js';
import { parseChallenges } from '../auth/challenges.js';
import type { Identity } from '../credentials/identity.js';
import { AutodiscoverError } from '../errors.js';
import {
  getUserSettingsBody,
  SERVER_VERSIONS,
  type SettingsChoice,
  SOAP_HEADERS,
  settingNames,
} from '../soap/get-user-settings-request.js';
import { type GetUserSettingsResponse, readGetUserSettingsResponse } from '../soap/get-user-settings-response.js';
import { TrustPolicy } from '../trust/trust-policy.js';
import { clientFor } from './client-registry.js';
import { withDeadline } from './deadline.js';
import { NETWORK_OPTIONS, type NetworkOptions } from './network-options.js';
import { serverText } from './server-text.js';
import { Session } from './session.js';
import { Trace } from './trace.js';

export interface AutodiscoverProtocolOptions extends NetworkOptions {
  /** The server's SOAP address. Naming it here is what makes it trusted. */
  readonly endpoint: string | URL;
  readonly authScheme?: AuthScheme | undefined;
  readonly identity?: Identity | undefined;
  /** Deadline of a call, in milliseconds. @default 10000 */
  readonly timeoutMs?: number | undefined;
}

const NAMES = ['endpoint', 'authScheme', 'identity', 'timeoutMs', ...NETWORK_OPTIONS];

/**
 * One known Autodiscover server, asked directly: the settings of several mailboxes in one request.
 *
 * @example
 * ```ts
 * const protocol = new AutodiscoverProtocol({ endpoint: 'https://mail.corp.example/autodiscover/autodiscover.svc', authScheme });
 * const { users } = await protocol.getUserSettings(['ada@corp.example', 'bob@corp.example'], { settings: ['ExternalEwsUrl'] });
 * ```
 */
export class AutodiscoverProtocol {
  readonly endpoint: URL;
  readonly #options: Readonly<AutodiscoverProtocolOptions>;

  /** @throws TypeError for an endpoint that is not https */
  constructor(options: AutodiscoverProtocolOptions) {
    this.#options = strictOptions('AutodiscoverProtocol', options, NAMES);
    const endpoint = URL.canParse(String(options.endpoint)) ? new URL(options.endpoint) : undefined;
    if (endpoint?.protocol !== 'https:' || endpoint.username !== '')
      throw invalidArgument('AutodiscoverProtocol: "endpoint" must be an https URL.');
    this.endpoint = endpoint;
  }

  /**
   * The answer for each address, in the order asked. Errors of one mailbox are in its answer; redirects are not followed.
   * @throws AutodiscoverError `AUTH_FAILED`, `SERVER_BUSY`, `SERVER_ERROR` or `NOT_FEDERATED` for the request as a whole
   */
  async getUserSettings(
    addresses: readonly string[],
    options: { readonly settings?: SettingsChoice; readonly signal?: AbortSignal } = {},
  ): Promise<GetUserSettingsResponse> {
    const { settings, signal } = strictOptions('getUserSettings', options, ['settings', 'signal']);
    const trace = new Trace(systemClock);
    const mailboxes = addresses.map((address) => parseMailAddress(address).address);
    const [version] = SERVER_VERSIONS;
    const { endpoint } = this;
    const body = getUserSettingsBody({
      endpoint,
      addresses: mailboxes,
      settings: settingNames(settings),
      version,
      identity: this.#options.identity,
    });
    const { timeoutMs = 10_000 } = this.#options;
    const client = clientFor(this.#options);
    const text = await withDeadline({ timeoutMs, signal, client, trace }, (ends) => this.#post(body, ends, trace));
    const response = readGetUserSettingsResponse(text);
    if (response.code !== 'NoError') throw requestError(response, trace);
    return response;
  }

  async #post(body: string, signal: AbortSignal, trace: Trace): Promise<string> {
    const { authScheme: scheme, timeoutMs = 10_000 } = this.#options;
    const policy = new TrustPolicy({ trustedHosts: [this.endpoint.host] });
    const session = new Session({
      client: clientFor(this.#options),
      policy,
      trace,
      clock: systemClock,
      signal,
      stepTimeoutMs: timeoutMs,
      scheme,
    });
    const message = { method: 'POST', url: this.endpoint, headers: SOAP_HEADERS, body };
    const look = await session.anonymous('probe', { method: 'GET', url: this.endpoint });
    if ('failed' in look)
      throw new AutodiscoverError('The server cannot be reached.', { code: 'SERVER_ERROR', trace: trace.steps });
    look.end(look.answer.status === 401 ? 'wants-credentials' : 'ok');
    const signIn = scheme !== undefined && look.answer.status === 401;
    const sent = signIn
      ? await session.signedIn('soap', message, parseChallenges(look.answer.distinct['www-authenticate']))
      : await session.anonymous('soap', message);
    return judge(sent, trace);
  }

  toString(): string {
    return `AutodiscoverProtocol(${this.endpoint.href})`;
  }
  toJSON(): { readonly endpoint: string } {
    return { endpoint: this.endpoint.href };
  }
}

function judge(sent: Awaited<ReturnType<Session['anonymous']>>, trace: Trace): string {
  if ('failed' in sent) {
    const code = sent.failed === 'no-credentials' ? 'AUTH_FAILED' : 'SERVER_ERROR';
    throw new AutodiscoverError(`The server gave no answer (${sent.failed}).`, { code, trace: trace.steps });
  }
  const { status, body } = sent.answer;
  sent.end(status === 200 || status === 500 ? 'ok' : status === 401 ? 'refused' : 'server-error');
  if (status === 401 || status === 403)
    throw new AutodiscoverError('The server refused the credentials.', { code: 'AUTH_FAILED', trace: trace.steps });
  if (status === 503 || status === 429)
    throw new AutodiscoverError('The server is busy.', { code: 'SERVER_BUSY', trace: trace.steps });
  if (status !== 200 && status !== 500)
    throw new AutodiscoverError(`The server answered with HTTP ${status}.`, { code: 'SERVER_ERROR', trace: trace.steps });
  return body;
}

function requestError({ code: serverCode, message }: GetUserSettingsResponse, trace: Trace): AutodiscoverError {
  const code = serverCode === 'ServerBusy' ? 'SERVER_BUSY' : serverCode === 'NotFederated' ? 'NOT_FEDERATED' : 'SERVER_ERROR';
  return new AutodiscoverError(`The server refused the request: ${serverText(`${serverCode}: ${message}`)}`, {
    code,
    serverCode,
    trace: trace.steps,
  });
}
