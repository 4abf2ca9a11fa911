import { AutodiscoverError, basicAuth, bearerAuth, CLOUDS, UsernamePasswordCredentials } from '@tokenry/autodiscover';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../src/auth/challenges.js';
import { Identity } from '../src/credentials/identity.js';
import { withImpersonation } from '../src/ews/soap-header.js';
import { isPrivateAddress } from '../src/http/private-networks.js';
import { TrustPolicy } from '../src/trust/trust-policy.js';
import { parseXml } from '../src/xml/parse.js';

const schemes = (header: string | string[] | undefined) => parseChallenges(header).map(({ scheme }) => scheme);

describe('WWW-Authenticate (4.4)', () => {
  it('nothing offered is nothing', () => {
    for (const header of [undefined, '', ' , ,', []]) expect(schemes(header)).toEqual([]);
  });
  it.each(['Basic', 'Basic realm=corp', 'Basic realm="corp"', 'Basic realm=""', 'basic REALM="a, b"'])(
    '%s is Basic',
    (header) => {
      expect(schemes(header).map((scheme) => scheme.toLowerCase())).toEqual(['basic']);
    },
  );
  it('Digest keeps commas inside quotes', () => {
    expect(parseChallenges('Digest realm="a, b", qop="auth,auth-int", nonce="x\\"y"')).toEqual([
      { scheme: 'Digest', parameters: { realm: 'a, b', qop: 'auth,auth-int', nonce: 'x"y' } },
    ]);
  });
  it('several schemes come in one header or in several', () => {
    expect(schemes('Basic, Digest realm="x", NTLM')).toEqual(['Basic', 'Digest', 'NTLM']);
    expect(schemes(['Negotiate', 'NTLM', 'Basic realm="mail.corp.example"'])).toEqual(['Negotiate', 'NTLM', 'Basic']);
  });
  it('NTLM and Negotiate carry their data, Bearer its authority', () => {
    expect(parseChallenges('NTLM TlRMTVNTUAACAAAA==')[0]).toMatchObject({ scheme: 'NTLM', token: 'TlRMTVNTUAACAAAA==' });
    expect(
      parseChallenges(
        'Bearer client_id="00000002", trusted_issuers="x@*", authorization_uri="https://login.windows.net/common"',
      )[0]?.parameters,
    ).toEqual({
      client_id: '00000002',
      trusted_issuers: 'x@*',
      authorization_uri: 'https://login.windows.net/common',
    });
  });
  it('junk of any length is read in time and without an error', () => {
    for (const junk of [
      `${'K'.repeat(16_000)}:`,
      `a ${'x'.repeat(16_000)}:`,
      'a b="'.repeat(4000),
      ' a'.repeat(8000),
      '"'.repeat(20_000),
      '='.repeat(20_000),
      'a='.repeat(20_000),
      'a "'.repeat(9000),
      '\\'.repeat(20_000),
      ','.repeat(20_000),
    ])
      expect(Array.isArray(parseChallenges(junk))).toBe(true);
  });
});

describe('schemes', () => {
  it('Basic cannot carry a colon in the name, and never goes to Microsoft', () => {
    expect(() => basicAuth(new UsernamePasswordCredentials('a:b', 'secret-TEST'))).toThrow('colon');
    const scheme = basicAuth(new UsernamePasswordCredentials('ada', 'secret-TEST'));
    expect(
      ['https://outlook.office365.com/', 'https://autodiscover-s.outlook.com/', 'https://partner.outlook.cn/'].map((url) =>
        scheme.accepts(new URL(url)),
      ),
    ).toEqual([false, false, false]);
    expect(scheme.accepts(new URL('https://mail.corp.example/'))).toBe(true);
  });
  it('a token goes to the hosts of its own cloud alone', () => {
    const source = { getAccessToken: async () => ({ token: 'at-TEST' }) };
    const hosts = [
      'outlook.office365.com',
      'autodiscover-s.outlook.com',
      'outlook.office365.us',
      'autodiscover.outlook.com',
      'graph.microsoft.com',
      'mail.corp.example',
    ];
    const accepted = (options: Parameters<typeof bearerAuth>[1]) =>
      hosts.filter((host) => bearerAuth(source, options).accepts(new URL(`https://${host}/`)));
    expect(accepted({})).toEqual(['outlook.office365.com', 'autodiscover-s.outlook.com']);
    expect(accepted({ cloud: CLOUDS.usgov })).toEqual(['outlook.office365.us']);
    expect(accepted({ scopes: ['https://mail.corp.example/.default'] })).toEqual(['mail.corp.example']);
    expect(bearerAuth(source).accepts(new URL('http://outlook.office365.com/'))).toBe(false);
  });
});

describe('trust', () => {
  const policy = (trustedHosts: string[] = []) => {
    const made = new TrustPolicy({ trustedHosts });
    made.addMailDomain('mail.corp.co.uk');
    return made;
  };
  it.each([
    ['https://autodiscover.mail.corp.co.uk/', 'mail-domain'],
    ['https://corp.co.uk/', 'mail-domain'],
    ['https://www.corp.co.uk/', 'mail-domain'],
    ['https://autodiscover-s.outlook.com/', 'microsoft'],
    ['https://outlook.office365.com/', 'microsoft'],
    ['https://co.uk/', undefined],
    ['https://other.co.uk/', undefined],
    ['https://outlook.com.other.co.uk/', undefined],
    ['https://notoutlook.com/', undefined],
    ['https://www.office.com/', undefined],
    ['https://corp.co.uk:8443/', undefined],
    ['https://mail.hoster.example/', 'configured'],
    ['https://deep.mail.farm.example/', 'configured'],
    ['https://farm.example/', undefined],
    ['https://port.example:8443/', 'configured'],
    ['https://port.example/', undefined],
  ])('%s is trusted as %s', (url, tier) => {
    expect(policy(['MAIL.hoster.example', '*.farm.example', 'port.example:8443']).tierOf(new URL(url))).toBe(tier);
  });
});

describe('addresses', () => {
  it.each(['8.8.8.8', '2001:4860:4860::8888', '::ffff:8.8.8.8', '::ffff:808:808', '64:ff9b::808:808'])(
    '%s is public',
    (address) => {
      expect(isPrivateAddress(address)).toBe(false);
    },
  );
  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '::ffff:127.0.0.1',
    '10.1.2.3',
    'fd12::1',
    'fe80::1%eth0',
    '169.254.169.254',
    'x',
    '',
  ])('%s is not', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });
  it('loopback can be allowed, and nothing else with it', () => {
    expect(
      ['127.0.0.1', '::1', '10.0.0.1', '::ffff:10.0.0.1'].map((address) => isPrivateAddress(address, { allowLoopback: true })),
    ).toEqual([false, false, true, true]);
  });
});

describe('the impersonation header', () => {
  const ada = new Identity({ primarySmtpAddress: 'ada@corp.example' });
  const SOAP = 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"';
  it.each(['', '\ufeff<?xml version="1.0"?>\r\n<!-- \u{1F600} -->\r\n'])(
    'goes into a Header that is there, empty, or missing, after %j',
    (prolog) => {
      for (const inner of [
        '<s:Header><x/></s:Header>',
        '<s:Header></s:Header>',
        '<s:Header />',
        '',
        '\r\n<s:Header a="\u{1F600}&#10;>">\r\n</s:Header>',
      ]) {
        const root = parseXml(withImpersonation(`${prolog}<s:Envelope ${SOAP}>${inner}<s:Body/></s:Envelope>`, ada));
        expect(root.at('Header', 'ExchangeImpersonation', 'ConnectingSID')?.textOf('PrimarySmtpAddress')).toBe(
          'ada@corp.example',
        );
        expect(root.children.map(({ local }) => local)).toEqual(['Header', 'Body']);
      }
    },
  );
  it('is left to the caller who has set one, and to what is no envelope', () => {
    for (const text of [
      `<s:Envelope ${SOAP}><s:Header><t:ExchangeImpersonation xmlns:t="t"/></s:Header></s:Envelope>`,
      '<a/>',
      'text',
      '',
      '<s:Envelope>',
    ])
      expect(withImpersonation(text, ada)).toBe(text);
    for (const identity of [ada, new Identity({})])
      expect(withImpersonation(`<s:Envelope ${SOAP}/>`, identity)).toBe(`<s:Envelope ${SOAP}/>`);
  });
});

it('errors recognise each other across copies, and are what they say', () => {
  const error = new AutodiscoverError('No.', { code: 'TIMEOUT' });
  expect([AutodiscoverError.is(error), error.code, error.retryable, error.name]).toEqual([
    true,
    'TOKENRY_AUTODISCOVER_TIMEOUT',
    true,
    'AutodiscoverError',
  ]);
  expect(error.explain()).toBe('No.\nWhat to do: Raise "timeoutMs", or name the server with the option "endpoint".');
});
