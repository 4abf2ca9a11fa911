import {
  AutodiscoverError,
  accountOptionsFor,
  type DiscoverOptions,
  discover,
  discoverInstance,
  discoverTenant,
  Identity,
  OAuth2AuthorizationCodeCredentials,
  type TenantOptions,
} from '@tokenry/autodiscover';
import { Account } from '@tokenry/core';
import { MemoryTokenBackend } from '@tokenry/memory';
import { describe, expect, it } from 'vitest';
import { parseXml } from '../src/xml/parse.js';
import { ADA, code, HOST, lab, useLab } from './corp-example.js';
import { ewsSettings, fixture } from './fixtures/answers.js';
import { exchange, status } from './lab/exchange.js';
import type { Handler } from './lab/lab.js';

useLab();

const GLOBAL = 'login.microsoftonline.com';
const ONLINE = 'outlook.office365.com';
const tenant = (name: string) => fixture(`tenant/${name}.json`);
const network = (more: TenantOptions = {}): TenantOptions => {
  const { ca, lookup, dns, connectTo } = lab.options();
  return { ca, lookup, dns, connectTo, ...more };
};
/** A sign-in service that knows the tenants of the given documents, by the domain asked. */
const login =
  (documents: Readonly<Record<string, string>>, more: { realm?: string; instances?: string } = {}): Handler =>
  ({ path }) => {
    const domain = /^\/([^/]+)\/v2\.0\/\.well-known/.exec(path)?.[1];
    if (domain !== undefined)
      return documents[domain] === undefined ? { status: 400, body: tenant('openid-not-found') } : { body: documents[domain] };
    if (path.startsWith('/getuserrealm.srf')) return more.realm === undefined ? { status: 500 } : { body: more.realm };
    if (path.startsWith('/common/discovery/instance'))
      return more.instances === undefined ? { status: 500 } : { body: more.instances };
    return { status: 404 };
  };
const json = (body: object) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const find = (more: DiscoverOptions = {}, address = ADA) => discover(address, lab.options(more));
const online = exchange({
  v2: (protocol) =>
    json({
      Protocol: protocol,
      Url: protocol === 'EWS' ? `https://${ONLINE}/EWS/Exchange.asmx` : `https://${ONLINE}/Microsoft-Server-ActiveSync`,
    }),
});

describe('the tenant of a domain', () => {
  it.each([
    ['openid-global', 'global', '01', 'graph.microsoft.com'],
    ['openid-gcc', 'global', '02', 'graph.microsoft.com'],
    ['openid-gcc-high', 'usgov', '03', 'graph.microsoft.us'],
    ['openid-dod', 'usgov-dod', '04', 'dod-graph.microsoft.us'],
  ])('%s, asked at the global sign-in service, is in the cloud %s', async (document, cloud, id, graphHost) => {
    lab.host(GLOBAL, login({ 'corp.example': tenant(document) }));
    expect(await discoverTenant('CORP.example', network())).toMatchObject({
      domain: 'corp.example',
      cloud,
      tenantId: `00000000-0000-4000-8000-0000000000${id}`,
      graphHost,
    });
  });

  it('that the global service does not know is looked for in the other clouds', async () => {
    lab.host(GLOBAL, login({}));
    lab.host('login.partner.microsoftonline.cn', login({ 'corp.example': tenant('openid-china') }));
    expect(await discoverTenant('corp.example', network())).toMatchObject({
      cloud: 'china',
      authority: 'https://login.partner.microsoftonline.cn',
    });
    expect(await discoverTenant('corp.example', network({ cloud: 'global' }))).toBeUndefined();
  });

  it('of nobody is undefined; services that cannot be asked are an error', async () => {
    lab.host(GLOBAL, login({}));
    expect(await discoverTenant('nowhere.example', network())).toBeUndefined();
    lab.host(GLOBAL, status(503));
    await expect(discoverTenant('corp.example', network())).rejects.toMatchObject(code('SERVER_ERROR'));
    await expect(discoverTenant('co.uk', network())).rejects.toMatchObject(code('INVALID_ADDRESS'));
  });

  it('comes with a hint about federation, asked for x@domain, and does without it', async () => {
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-global') }, { realm: tenant('realm-federated') }));
    expect((await discoverTenant('corp.example', network()))?.realm).toEqual({
      namespaceType: 'Federated',
      federationUrl: 'https://sts.corp.example/adfs/ls/',
      brandName: 'Corp',
      cloudInstanceName: 'microsoftonline.com',
    });
    expect(lab.requests.find(({ path }) => path.includes('realm'))?.path).toContain('login=x%40corp.example');
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-global') }));
    expect((await discoverTenant('corp.example', network()))?.realm).toBeUndefined();
  });

  it('in a new sovereign cloud keeps the names that Microsoft gives; an unheard-of authority is verified first', async () => {
    lab.host(
      GLOBAL,
      login(
        { 'bleu.example': tenant('openid-bleu'), 'corp.example': tenant('openid-unheard') },
        { instances: tenant('instances') },
      ),
    );
    expect(await discoverTenant('bleu.example', network())).toMatchObject({
      cloud: 'login.sovcloud-identity.fr',
      graphHost: 'graph.example.fr',
    });
    expect(await discoverTenant('corp.example', network())).toMatchObject({ cloud: 'login.cloud-of-tomorrow.example' });
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-unheard') }, { instances: '{"error":"invalid_instance"}' }));
    await expect(discoverTenant('corp.example', network())).rejects.toMatchObject(code('UNKNOWN_AUTHORITY'));
  });

  it('what is not the document that was asked for is no tenant', async () => {
    for (const body of ['{}', '[]', '<html>', '{"issuer":"https://evil.example/x"}', '{"issuer":7}']) {
      lab.host(GLOBAL, () => ({ body }));
      await expect(discoverTenant('corp.example', network())).rejects.toBeInstanceOf(AutodiscoverError);
    }
  });
});

describe('an authority that a server names', () => {
  it('is known from the table, or asked about, or refused', async () => {
    expect((await discoverInstance('login.windows.net', network())).preferredNetwork).toBe(GLOBAL);
    expect(lab.requests).toEqual([]);
    lab.host(GLOBAL, login({}, { instances: tenant('instances') }));
    expect(await discoverInstance('sts.cloud-of-tomorrow.example', network())).toMatchObject({
      preferredNetwork: 'login.cloud-of-tomorrow.example',
    });
    lab.host(GLOBAL, login({}, { instances: '{"error":"invalid_instance"}' }));
    await expect(discoverInstance('evil.example', network())).rejects.toMatchObject(code('UNKNOWN_AUTHORITY'));
  });

  it('answers for itself while Microsoft cannot be asked, and is not asked about again', async () => {
    lab.host(GLOBAL, login({}));
    expect((await discoverInstance('login.private.example', network())).aliases).toEqual(['login.private.example']);
    const asked = lab.requests.length;
    await discoverInstance('login.private.example', network());
    expect(lab.requests.length).toBe(asked);
  });
});

describe('options for an account', () => {
  it('name cloud and tenant, and an Account takes them', async () => {
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-gcc-high') }));
    const found = await accountOptionsFor(ADA, network());
    expect(found).toEqual({ cloud: 'usgov', tenantId: '00000000-0000-4000-8000-000000000003' });
    const account = new Account(['client-id', 'secret-TEST'], { ...found, tokenBackend: new MemoryTokenBackend() });
    expect(account.protocol.serviceUrl).toContain('graph.microsoft.us');
    await account.close();
  });
  it('of a domain without tenant are an error, not a guess', async () => {
    lab.host(GLOBAL, login({}));
    await expect(accountOptionsFor('ada@nowhere.example', network())).rejects.toMatchObject(code('NOT_FOUND'));
  });
});

describe('a mailbox in Exchange Online', () => {
  it('is found without credentials: Graph first, EWS with its end, the tenant, no proof of the mailbox', async () => {
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-global') }));
    lab.host(ONLINE, online);
    const found = await find();
    expect(found).toMatchObject({
      location: 'exchange-online',
      cloud: 'global',
      tenantId: '00000000-0000-4000-8000-000000000001',
      mailboxVerified: false,
      endpoint: { kind: 'v2' },
      services: {
        graph: { url: 'https://graph.microsoft.com/v1.0' },
        ews: { externalUrl: `https://${ONLINE}/EWS/Exchange.asmx` },
        activeSync: { url: `https://${ONLINE}/Microsoft-Server-ActiveSync` },
      },
      deprecations: [{ service: 'ews', blockedFrom: '2026-10-01', endsOn: '2027-04-01', replacement: 'graph' }],
    });
    expect(lab.requests.filter(({ headers }) => headers.authorization)).toEqual([]);
  });

  it('of another cloud has that cloud’s Graph', async () => {
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-dod') }));
    lab.host(
      'outlook-dod.office365.us',
      exchange({ v2: () => json({ Protocol: 'EWS', Url: 'https://outlook-dod.office365.us/EWS/Exchange.asmx' }) }),
    );
    expect(await find()).toMatchObject({
      location: 'exchange-online',
      cloud: 'usgov-dod',
      services: { graph: { url: 'https://dod-graph.microsoft.us/v1.0' } },
    });
  });

  it('is described in full with a token: SOAP at the secure name, acting for the mailbox owner', async () => {
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-global') }));
    lab.host(ONLINE, online);
    const settings = {
      ...ewsSettings(ONLINE, ADA),
      settings: { ...ewsSettings(ONLINE, ADA).settings, UserMSOnline: 'True', UserDisplayName: 'Ada' },
    };
    lab.host(
      'autodiscover-s.outlook.com',
      exchange({ offers: 'Bearer client_id="x"', accepts: 'Bearer at-TEST', soap: () => settings }),
    );
    const credentials = new OAuth2AuthorizationCodeCredentials({
      accessToken: { access_token: 'at-TEST' },
      identity: new Identity({ upn: 'ada@corp.example' }),
    });
    const found = await find({ credentials });
    expect(found).toMatchObject({
      mailboxVerified: true,
      settings: { known: { UserDisplayName: 'Ada', UserMSOnline: true } },
      services: { activeSync: { url: expect.any(String) } },
    });
    const signedIn = lab.requests.filter(({ headers }) => headers.authorization === 'Bearer at-TEST');
    expect(signedIn.map(({ host }) => host)).toEqual(['autodiscover-s.outlook.com']);
    expect(signedIn[0]?.headers['x-anchormailbox']).toBe(ADA);
    expect(
      parseXml(signedIn[0]?.body ?? '')
        .at('Header', 'ExchangeImpersonation', 'ConnectingSID')
        ?.textOf('PrincipalName'),
    ).toBe(ADA);
  });

  it('services.ews.fetch signs in, impersonates and anchors; delegates do not impersonate', async () => {
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-global') }));
    const received: { authorization: string | undefined; anchor: unknown; impersonated: string | undefined }[] = [];
    lab.host(ONLINE, (request, response) => {
      if (!request.path.startsWith('/EWS')) return online(request, response);
      received.push({
        authorization: request.headers.authorization,
        anchor: request.headers['x-anchormailbox'],
        impersonated: parseXml(request.body).at('Header', 'ExchangeImpersonation', 'ConnectingSID')?.textOf('PrimarySmtpAddress'),
      });
      return { headers: { 'x-served-by': 'exchange' }, body: '<done/>' };
    });
    lab.host('autodiscover-s.outlook.com', status(503));
    const account = { getAccessToken: async () => ({ token: 'at-TEST' }) };
    const url = `https://${ONLINE}/EWS/Exchange.asmx`;
    const envelope = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>';
    for (const accessType of ['impersonation', 'delegate'] as const) {
      const found = await find({ account, accessType });
      const answer = await found.services.ews?.fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'text/xml' },
        body: envelope,
      });
      expect([answer?.status, answer?.headers.get('x-served-by'), await answer?.text()]).toEqual([200, 'exchange', '<done/>']);
    }
    expect(received).toEqual([
      { authorization: 'Bearer at-TEST', anchor: ADA, impersonated: ADA },
      { authorization: 'Bearer at-TEST', anchor: ADA, impersonated: undefined },
    ]);
    await expect(find({ accessType: 'impersonate' as 'delegate' })).rejects.toThrow('did you mean "impersonation"?');
  });

  it('a redirect by the EWS server is handed to the caller, not followed', async () => {
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-global') }));
    lab.host(ONLINE, (request, response) =>
      request.path.startsWith('/EWS')
        ? { status: 302, headers: { location: 'https://evil.example/' } }
        : online(request, response),
    );
    const found = await find({ account: { getAccessToken: async () => ({ token: 'at-TEST' }) }, timeoutMs: 5000 });
    expect((await found.services.ews?.fetch(`https://${ONLINE}/EWS/Exchange.asmx`, { method: 'POST', body: 'x' }))?.status).toBe(
      302,
    );
  });
});

describe('hybrids', () => {
  const onPremises = 'https://mail.corp.example/EWS/Exchange.asmx';

  it('Microsoft sends a mailbox on premises to its own server', async () => {
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-global') }));
    lab.host(
      ONLINE,
      exchange({
        v2: () => ({
          status: 302,
          headers: {
            location:
              'https://hybrid.corp.example/autodiscover/autodiscover.json?Email=ada%40corp.example&Protocol=EWS&RedirectCount=1',
          },
        }),
      }),
    );
    lab.host('hybrid.corp.example', exchange({ v2: (protocol) => json({ Protocol: protocol, Url: onPremises }) }));
    const found = await find();
    expect(found).toMatchObject({
      location: 'on-premises',
      tenantId: expect.any(String),
      services: { ews: { externalUrl: onPremises } },
    });
    expect(found.services.graph).toBeUndefined();
    expect(found.deprecations).toEqual([]);
  });

  it('the own server sends a mailbox in the cloud to Microsoft, and then Microsoft is not told the address', async () => {
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-global') }));
    lab.host(
      HOST,
      exchange({
        v2: () => json({ Protocol: 'EWS', Url: `https://${ONLINE}/EWS/Exchange.asmx`, ServerLocation: 'Exchange Online' }),
      }),
    );
    lab.host(ONLINE, online);
    expect((await find()).location).toBe('exchange-online');
    expect(lab.to(ONLINE)).toEqual([]);
  });

  it('a server that only SRV knows, and that wants credentials, still tells anonymously where EWS is', async () => {
    lab.dns.set('_autodiscover._tcp.corp.example', {
      srv: [{ name: 'exchange.corp.example', port: 443, priority: 0, weight: 0 }],
    });
    const server = exchange({ offers: 'Basic', v2: (protocol) => json({ Protocol: protocol, Url: onPremises }) });
    lab.host('exchange.corp.example', server);
    expect(await find()).toMatchObject({
      location: 'on-premises',
      mailboxVerified: false,
      services: { ews: { externalUrl: onPremises } },
    });
  });

  it('a circle for unknown users ends quietly', async () => {
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-global') }));
    lab.host(
      ONLINE,
      exchange({
        v2: () => ({
          status: 302,
          headers: { location: '/autodiscover/autodiscover.json?Email=ada%40corp.example&Protocol=EWS&RedirectCount=1' },
        }),
      }),
    );
    await expect(find()).rejects.toMatchObject(code('NOT_FOUND'));
    expect(lab.to(ONLINE).length).toBeLessThanOrEqual(3);
  });

  it('an error of the service, known or not, makes the search go on', async () => {
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-global') }));
    for (const ErrorCode of ['ProtocolNotSupported', 'InvalidProtocol', 'CodeOfTomorrow']) {
      lab.host(ONLINE, exchange({ v2: () => ({ ...json({ ErrorCode, ErrorMessage: 'No.' }), status: 400 }) }));
      const error = await find().catch((thrown: AutodiscoverError) => thrown);
      expect((error as AutodiscoverError).trace.find(({ detail }) => detail?.startsWith(ErrorCode))).toMatchObject({
        step: 'v2',
        outcome: 'not-found',
        status: 400,
      });
    }
  });
});

describe('privacy', () => {
  it('Microsoft is told the address only if the domain has a tenant', async () => {
    lab.host(GLOBAL, login({}));
    lab.host(ONLINE, online);
    await find().catch(() => undefined);
    expect(lab.to(ONLINE)).toEqual([]);
    expect(JSON.stringify(lab.to(GLOBAL))).not.toContain('ada');
  });

  it('and nothing at all with askMicrosoft: false', async () => {
    lab.host(GLOBAL, login({ 'corp.example': tenant('openid-global') }));
    lab.host(ONLINE, online);
    await find({ askMicrosoft: false }).catch(() => undefined);
    expect([...lab.to(GLOBAL), ...lab.to(ONLINE)]).toEqual([]);
  });

  it('a server that has not asked for credentials sees nobody’s name before it has shown that it is Autodiscover', async () => {
    const bodies: string[] = [];
    lab.host('corp.example', ({ body, path }) => {
      bodies.push(body + path);
      return { headers: { 'content-type': 'text/html' }, body: '<html>Welcome</html>' };
    });
    await find({ askMicrosoft: false }).catch(() => undefined);
    expect(bodies.length).toBeGreaterThan(1);
    expect(bodies.join('')).not.toContain('ada');
  });
});
