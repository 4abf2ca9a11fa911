import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { normaliseCredentials } from '../../src/application-credentials.js';
import { systemClock } from '../../src/clock.js';
import { clouds } from '../../src/entra/cloud.js';
import { EntraProvider } from '../../src/entra/entra-provider.js';
import { Transport } from '../../src/http/transport.js';
import { recordingSlice } from './authority.js';

/**
 * What Azure App Service offers its applications: a local address and a header, both named in the environment.
 * Source: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 */
interface Asked {
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}
const asked: Asked[] = [];
let answer: { status: number; body: object };

const server = createServer((request, response) => {
  asked.push({ query: new URL(request.url ?? '', 'http://localhost').searchParams, headers: request.headers });
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
});
const transport = new Transport({ proxy: false });

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env.IDENTITY_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi/token`;
  process.env.IDENTITY_HEADER = 'secret-TEST-header';
});
beforeEach(() => {
  asked.length = 0;
  const expiresOn = Math.floor(Date.now() / 1_000) + 86_400;
  answer = {
    status: 200,
    body: { access_token: 'at-TEST-mi', expires_on: String(expiresOn), resource: 'r', token_type: 'Bearer' },
  };
});
afterAll(async () => {
  delete process.env.IDENTITY_ENDPOINT;
  delete process.env.IDENTITY_HEADER;
  await transport.close();
  server.close();
});

async function token(managedIdentity: true | { clientId: string }, fetch = transport.tokenFetch) {
  const credentials = normaliseCredentials({ managedIdentity });
  const provider = new EntraProvider({ credentials, flow: 'credentials', tenantId: 'common', cloud: clouds.global });
  const { slice, events } = recordingSlice();
  const context = { scopes: ['https://graph.microsoft.com/.default'], fetch, clock: systemClock };
  await provider.exchange({ grantType: 'client_credentials' }, slice, context);
  return events;
}

describe('a managed identity', () => {
  it('gets a token for the resource of its scopes', async () => {
    const [event] = await token(true);
    expect(event).toMatchObject({ clientId: 'system_assigned_managed_identity', grantType: 'client_credentials' });
    expect(event?.response).toMatchObject({ access_token: 'at-TEST-mi', token_type: 'Bearer' });
    expect(Reflect.get(event?.response ?? {}, 'expires_in')).toBeGreaterThan(86_000);
    expect(asked[0]?.query.get('resource')).toBe('https://graph.microsoft.com');
    expect(asked[0]?.headers['x-identity-header']).toBe('secret-TEST-header');
  });

  it('is asked on the network each time: what is valid is for our cache to say', async () => {
    await token(true);
    await token(true);
    expect(asked).toHaveLength(2);
  });

  it('that is user-assigned is named by its client id', async () => {
    const [event] = await token({ clientId: 'mi-client-1' });
    expect(asked[0]?.query.get('client_id')).toBe('mi-client-1');
    expect(event?.clientId).toBe('mi-client-1');
  });

  it('sends through the transport of the call, not of the first identity of the process', async () => {
    await token(true);
    let sent = 0;
    const counting: typeof globalThis.fetch = (input, init) => {
      sent++;
      return transport.tokenFetch(input, init);
    };
    await token(true, counting);
    expect(sent).toBe(1);
  });

  it('that is refused says so', async () => {
    answer = { status: 400, body: { error: 'invalid_request', error_description: 'Identity not found' } };
    await expect(token(true)).rejects.toMatchObject({ name: 'TokenEndpointError', error: 'invalid_request', status: 400 });
  });
});
