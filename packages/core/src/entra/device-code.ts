import type { DeviceFlow } from '../provider/token-provider.js';
import type { ClientAuthentication } from './client-authentication.js';
import type { Endpoints } from './endpoints.js';
import { readTokenAnswer, type TokenAnswer, UnreadableAnswerError } from './token-answer.js';

/**
 * Device code (RFC 8628) by plain requests. msal-node's own flow cannot be resumed in another process, takes `slow_down`
 * for a failure, drops `verification_uri_complete` and cannot be aborted, so it is not used for this grant.
 */
interface Sender {
  readonly clientId: string;
  readonly endpoints: Endpoints;
  readonly fetch: typeof globalThis.fetch;
  readonly authentication: ClientAuthentication;
  readonly signal?: AbortSignal | undefined;
}

/** RFC 8628 section 3.2: what holds when the server names no interval or lifetime. */
const DEFAULT_INTERVAL_SECONDS = 5;
const DEFAULT_LIFETIME_SECONDS = 900;
const OPENID_SCOPES = ['openid', 'profile', 'offline_access'];

/** Asks for a device code; `now` is epoch milliseconds. */
export async function requestDeviceCode(
  sender: Sender,
  request: { readonly scopes: readonly string[]; readonly claims?: string | undefined; readonly now: number },
): Promise<DeviceFlow> {
  const form = { scope: withOpenId(request.scopes), ...(request.claims === undefined ? {} : { claims: request.claims }) };
  const { body } = await post(sender, sender.endpoints.deviceCode, form, sender.signal);
  if (typeof body.device_code !== 'string' || typeof body.user_code !== 'string')
    throw new UnreadableAnswerError('The device code endpoint answered without a code.');
  const lifetimeSeconds = seconds(body.expires_in, DEFAULT_LIFETIME_SECONDS);
  const userCode = body.user_code;
  // Entra still sends the draft's name, verification_url, on its v1 endpoint.
  const verificationUri = String(body.verification_uri ?? body.verification_url ?? '');
  const complete = body.verification_uri_complete;
  return {
    deviceCode: body.device_code,
    userCode,
    verificationUri,
    ...(typeof complete === 'string' ? { verificationUriComplete: complete } : {}),
    expiresAt: request.now + lifetimeSeconds * 1_000,
    intervalMs: seconds(body.interval, DEFAULT_INTERVAL_SECONDS) * 1_000,
    message:
      typeof body.message === 'string' ? body.message : `To sign in, open ${verificationUri} and enter the code ${userCode}.`,
  };
}

/** Asks once whether the person has signed in; `authorization_pending` and the like are refusals. */
export function redeemDeviceCode(sender: Sender, deviceCode: string): Promise<TokenAnswer> {
  const form = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: deviceCode, client_info: '1' };
  // Not abortable: the answer may be the only copy of a refresh token.
  return post(sender, sender.endpoints.token, form, undefined);
}

async function post(
  { clientId, authentication, fetch }: Sender,
  url: string,
  form: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<TokenAnswer> {
  const body = new URLSearchParams({ client_id: clientId, ...form, ...authenticationForm(authentication) });
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded;charset=utf-8' };
  const init: RequestInit = { method: 'POST', headers, body: body.toString(), redirect: 'manual' };
  return readTokenAnswer(await fetch(url, signal ? { ...init, signal } : init));
}

function authenticationForm({ clientSecret, clientAssertion }: ClientAuthentication): Readonly<Record<string, string>> {
  if (clientSecret !== undefined) return { client_secret: clientSecret };
  if (clientAssertion === undefined) return {};
  return { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: clientAssertion };
}

/** Scopes as sent for a person: with what makes the server issue an id token and a refresh token. */
export function withOpenId(scopes: readonly string[]): string {
  return [...new Set([...scopes, ...OPENID_SCOPES])].join(' ');
}

function seconds(value: unknown, fallback: number): number {
  const given = Number(value);
  return Number.isFinite(given) && given > 0 ? given : fallback;
}
