import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { type AuthorityState, tenantIdOf } from './authority-state.js';
import { acceptAuthorizeRequest, resumeAuthorizeRequest } from './authorize-endpoint.js';
import { acceptDeviceRequest, handleDevicePage } from './device-endpoint.js';
import { redirect, sendHtml, sendJson } from './form.js';
import { handleGraph } from './graph/graph-api.js';
import { instanceDiscovery, openidConfiguration } from './metadata.js';
import { homePage } from './pages/home-page.js';
import { messagePage } from './pages/sign-in-pages.js';
import { handleSignIn } from './sign-in-endpoint.js';
import { acceptTokenRequest } from './token-endpoint.js';

/** One request on its way. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly tenant: string;
  /** The path after the tenant segment. */
  readonly rest: string;
}

/** Finds the endpoint for a request. Each tenant has an oidc-provider of its own, made when it is first asked for. */
export class Front {
  readonly #state: AuthorityState;
  readonly #providerFor: (tenantId: string) => Promise<Provider>;

  constructor(state: AuthorityState, providerFor: (tenantId: string) => Promise<Provider>) {
    this.#state = state;
    this.#providerFor = providerFor;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Node writes the real time; the authority lives by its own clock.
    response.setHeader('date', new Date().toUTCString());
    response.setHeader('x-ms-request-id', randomUUID());
    const url = new URL(request.url ?? '/', this.#state.origin);
    const [, tenant = '', ...rest] = url.pathname.split('/');
    if (url.pathname === '/') return sendHtml(response, 200, homePage(this.#state));
    if (tenant === 'v1.0' || tenant === 'beta') return handleGraph(request, response, url, this.#state);
    await this.#tenantEndpoint({ request, response, url, tenant, rest: `/${rest.join('/')}` });
  }

  async #tenantEndpoint(visit: Visit): Promise<void> {
    const { request, response, url, tenant, rest } = visit;
    const tenantId = tenantIdOf(tenant, this.#state);
    const [first, ...others] = rest.slice(1).split('/');
    if (rest === '/discovery/instance') return sendJson(response, 200, instanceDiscovery(tenant, this.#state));
    if (rest === '/v2.0/.well-known/openid-configuration')
      return sendJson(response, 200, openidConfiguration(tenant, tenantId, this.#state));
    if (rest === '/oauth2/v2.0/logout') return logOut(response, url);
    const provider = await this.#providerFor(tenantId);
    if (rest === '/oauth2/deviceauth') return handleDevicePage(request, response, provider, this.#state);
    if (first === 'dev' && others[0] === 'sign-in') return handleSignIn(request, response, provider, this.#state);
    if (await this.#accepted(visit)) await passOn(provider, visit);
  }

  async #accepted({ request, response, url, tenant, rest }: Visit): Promise<boolean> {
    const [endpoint, uid] = rest.replace('/oauth2/v2.0/', '').split('/');
    if (endpoint === 'token' && request.method === 'POST') return acceptTokenRequest(request, response, this.#state, tenant);
    if (endpoint === 'devicecode' && request.method === 'POST') return acceptDeviceRequest(request, response, this.#state);
    if (endpoint !== 'authorize') return true;
    if (uid === undefined) return acceptAuthorizeRequest(request, response, url, this.#state);
    await resumeAuthorizeRequest(request, uid, this.#state);
    return true;
  }
}

/** Hands over to oidc-provider, mounted under the tenant segment so that it writes URLs as they were asked for. */
async function passOn(provider: Provider, { request, response, url, tenant, rest }: Visit): Promise<void> {
  const target = `${rest}${url.search}`;
  Object.assign(request, { originalUrl: `/${tenant}${target}`, baseUrl: `/${tenant}`, url: target });
  await provider.callback()(request, response);
}

/** Forgets the browser's session. Tokens stay valid, as with Entra ID. */
function logOut(response: ServerResponse, url: URL): void {
  const expired = ['_session', '_session.sig'].map((name) => `${name}=; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT; httponly`);
  const target = url.searchParams.get('post_logout_redirect_uri');
  response.setHeader('set-cookie', expired);
  if (target !== null && /^https?:\/\//.test(target)) redirect(response, target);
  else sendHtml(response, 200, messagePage('You signed out', 'It is a good idea to close all browser windows.'));
}
