import { AutodiscoverError, Identity } from '@tokenry/autodiscover';
import { describe, expect, it } from 'vitest';
import { poxBody } from '../src/pox/pox-request.js';
import { readPoxResponse } from '../src/pox/pox-response.js';
import { authPackageScheme, isUnknownMailbox, selectEws } from '../src/pox/pox-selection.js';
import { getUserSettingsBody, settingNames } from '../src/soap/get-user-settings-request.js';
import { readGetUserSettingsResponse } from '../src/soap/get-user-settings-response.js';
import { ALL_SETTINGS, type SettingName } from '../src/soap/setting-names.js';
import { readV2Response, v2Url } from '../src/v2/v2-response.js';
import { parseXml } from '../src/xml/parse.js';
import { fixture, poxAnswer, poxError, soapAnswer } from './fixtures/answers.js';

const malformed = expect.objectContaining({ code: 'TOKENRY_AUTODISCOVER_MALFORMED_RESPONSE' });

describe('XML', () => {
  it('reads BOM, CDATA, comments and entities, and finds elements whatever their prefix and case', () => {
    const root = parseXml(
      '\ufeff<?xml version="1.0"?><a:Root xmlns:a="urn:x"><!-- c --><a:VALUE>a &amp; <![CDATA[<b>]]></a:VALUE></a:Root>',
    );
    expect(root.textOf('value')).toBe('a & <b>');
  });

  it.each([
    ['a DOCTYPE', '<!DOCTYPE a><a/>'],
    ['an entity bomb', '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
    ['an unknown entity', '<a>&nbsp;</a>'],
    ['an unbound prefix', '<a i:type="x"/>'],
    ['HTML', '<!doctype html><html><body><br></body></html>'],
    ['HTML without doctype', '<html><body><br></body></html>'],
    ['a truncated document', '<a><b></b>'],
    ['two roots', '<a/><b/>'],
    ['nothing', ''],
    ['JSON', '{}'],
    ['41 levels', `${'<a>'.repeat(41)}${'</a>'.repeat(41)}`],
    ['20 001 elements', `<a>${'<b/>'.repeat(20_000)}</a>`],
    ['a duplicate attribute', '<a b="1" b="2"/>'],
  ])('refuses %s', (_name, text) => {
    expect(() => parseXml(text)).toThrow(malformed);
  });
});

describe('SOAP GetUserSettings', () => {
  it('escapes the address, names the wanted settings and carries the impersonated identity', () => {
    const body = getUserSettingsBody({
      endpoint: new URL('https://autodiscover.corp.example/autodiscover/autodiscover.svc'),
      addresses: ['"<&>"@corp.example', 'bob@corp.example'],
      settings: ['ExternalEwsUrl'],
      version: 'Exchange2016',
      identity: new Identity({ primarySmtpAddress: 'ada@corp.example' }),
    });
    const root = parseXml(body);
    const request = root.at('Body', 'GetUserSettingsRequestMessage', 'Request');
    expect(
      request
        ?.child('Users')
        ?.all('User')
        .map((user) => user.textOf('Mailbox')),
    ).toEqual(['"<&>"@corp.example', 'bob@corp.example']);
    expect(request?.at('RequestedSettings')?.textOf('Setting')).toBe('ExternalEwsUrl');
    expect(root.at('Header')?.textOf('To')).toBe('https://autodiscover.corp.example/autodiscover/autodiscover.svc');
    expect(root.at('Header', 'ExchangeImpersonation', 'ConnectingSID')?.textOf('PrimarySmtpAddress')).toBe('ada@corp.example');
  });

  it('4.2.6 an unknown setting is refused with the nearest valid name', () => {
    expect(() => settingNames(['ExternalEwsURI' as SettingName])).toThrow(
      'Unknown setting "ExternalEwsURI"; did you mean "ExternalEwsUrl"?',
    );
    expect(() => settingNames(['zzz' as SettingName])).toThrow(/Valid: UserDisplayName, /);
    expect(settingNames('all')).toHaveLength(ALL_SETTINGS.length);
  });

  it('4.2.6 a user-level error is an answer with code and message', () => {
    const answer = readGetUserSettingsResponse(soapAnswer([{ code: 'InvalidUser', message: "Invalid user 'x'." }]));
    expect(answer.users[0]).toMatchObject({ code: 'InvalidUser', message: "Invalid user 'x'." });
  });

  it('4.2.6 a request-level error is an answer without users', () => {
    const answer = readGetUserSettingsResponse(soapAnswer([], { code: 'InvalidSetting', message: 'An error message' }));
    expect(answer).toMatchObject({ code: 'InvalidSetting', message: 'An error message', users: [] });
  });

  it('reads all kinds of settings, typed and raw, known and unknown', () => {
    const answer = readGetUserSettingsResponse(fixture('soap-collections.xml'));
    expect(answer.serverVersion).toEqual({ major: 15, minor: 2, majorBuild: 2562, minorBuild: 17, name: 'Exchange2015' });
    const [user] = answer.users;
    expect(user?.redirectTarget).toBeUndefined();
    expect(user?.settings.known).toEqual({
      AutoDiscoverSMTPAddress: 'ada@corp.example',
      ExternalEwsUrl: 'https://mail.corp.example/EWS/Exchange.asmx',
      EwsSupportedSchemas: ['Exchange2007', 'Exchange2010_SP2', 'Exchange2016'],
      UserMSOnline: false,
      EcpPublishingUrlFragment: 'x?a=1&FldID=<FldID>',
      ExternalWebClientUrls: [{ AuthenticationMethods: 'Fba', Url: 'https://mail.corp.example/owa/' }],
      ExternalImap4Connections: [
        { EncryptionMethod: 'SSL', Hostname: 'imap.corp.example', Port: '993' },
        { EncryptionMethod: 'TLS', Hostname: 'imap.corp.example', Port: '143' },
      ],
      AlternateMailboxes: [
        { Type: 'Archive', DisplayName: 'Archive of Ada', LegacyDN: '/o=corp/cn=ada-archive', Server: 'archive@corp.example' },
      ],
      DocumentSharingLocations: [
        { ServiceUrl: 'https://my.corp.example/', LocationUrl: 'https://my.corp.example/ada', DisplayName: 'Documents' },
      ],
    });
    expect(user?.settings.raw.PublishedTomorrow).toEqual({ type: 'StringSetting', value: 'kept' });
    expect(user?.settingErrors.map(({ code, setting }) => [code, setting])).toEqual([
      ['SettingIsNotAvailable', 'InternalEwsUrl'],
      ['CodeOfTomorrow', 'SettingOfTomorrow'],
    ]);
  });

  it('a SOAP fault is a typed error with the code of the server', () => {
    const fault =
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>No.</faultstring></s:Fault></s:Body></s:Envelope>';
    expect(() => readGetUserSettingsResponse(fault)).toThrow(
      expect.objectContaining({ code: 'TOKENRY_AUTODISCOVER_SERVER_ERROR', serverCode: 's:Client' }),
    );
  });

  it.each(['<a/>', '<Envelope><Body/></Envelope>', soapAnswer([]).slice(0, -20)])('anything else is malformed', (text) => {
    expect(() => readGetUserSettingsResponse(text)).toThrow(malformed);
  });
});

describe('POX (4.3)', () => {
  it('4.3.1 properties of other actions are absent', () => {
    expect(
      readPoxResponse(poxAnswer('<Action>settings</Action><RedirectAddr>x@y.example</RedirectAddr>')).redirectAddress,
    ).toBeUndefined();
    const empty = readPoxResponse('<Autodiscover><Response/></Autodiscover>');
    expect([empty.redirectAddress, empty.redirectUrl, empty.action, empty.error, empty.protocols.length]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      0,
    ]);
  });

  it('4.3.2 and 4.3.3 what is not XML or has another root is malformed', () => {
    expect(() => readPoxResponse('FOO')).toThrow(malformed);
    expect(() => readPoxResponse('<foo/>')).toThrow('the root element is "foo"');
  });

  it('4.3.4 both redirects are read, whatever the case of RedirectURL', () => {
    expect(
      readPoxResponse(poxAnswer('<Action>redirectAddr</Action><RedirectAddr>x@y.example</RedirectAddr>')).redirectAddress,
    ).toBe('x@y.example');
    for (const name of ['RedirectURL', 'RedirectUrl'])
      expect(readPoxResponse(poxAnswer(`<Action>redirectUrl</Action><${name}>https://y.example/</${name}>`)).redirectUrl).toBe(
        'https://y.example/',
      );
  });

  const protocol = (type: string, field = 'EwsUrl') =>
    `<Protocol><Type>${type}</Type><${field}>https://${type.toLowerCase()}.example/</${field}></Protocol>`;
  it('4.3.5 EXPR is the outside address even when EXCH comes first', () => {
    expect(selectEws(readPoxResponse(poxAnswer(protocol('EXCH') + protocol('EXPR'))))).toEqual({
      externalUrl: 'https://expr.example/',
      internalUrl: 'https://exch.example/',
    });
  });
  it('4.3.6 EXCH alone is the inside address', () => {
    expect(selectEws(readPoxResponse(poxAnswer(protocol('EXCH'))))).toEqual({ internalUrl: 'https://exch.example/' });
  });
  it('4.3.7 another type alone gives none', () => {
    expect(selectEws(readPoxResponse(poxAnswer(protocol('IMAP'))))).toEqual({});
  });
  it('ASUrl stands in for a missing EwsUrl (#806), also where only WEB has it (#802)', () => {
    expect(selectEws(readPoxResponse(poxAnswer(protocol('EXPR', 'ASUrl')))).externalUrl).toBe('https://expr.example/');
    const web =
      '<Protocol><Type>WEB</Type><External><Protocol><Type>EXPR</Type><ASUrl>https://web.example/</ASUrl></Protocol></External></Protocol>';
    expect(selectEws(readPoxResponse(poxAnswer(web)))).toEqual({ externalUrl: 'https://web.example/' });
  });

  it('4.3.8 an error keeps code and message; the two English wordings and code 500 mean an unknown mailbox', () => {
    expect(readPoxResponse(poxError('', '')).error).toEqual({ code: '', message: '' });
    expect(readPoxResponse(poxError('600', 'Invalid Request')).error).toEqual({ code: '600', message: 'Invalid Request' });
    expect(isUnknownMailbox({ code: '600', message: 'Invalid Request' })).toBe(false);
    for (const message of ['The e-mail address cannot be found.', "The email address can't be found."])
      expect(isUnknownMailbox({ code: '', message })).toBe(true);
    expect(isUnknownMailbox({ code: '500', message: 'Die Adresse gibt es nicht.' })).toBe(true);
  });

  it('reads a full answer: user, OWA, MAPI over HTTP, public folders, sign-in packages', () => {
    const answer = readPoxResponse(fixture('pox-three-protocols.xml'));
    expect(answer.user).toEqual({
      displayName: 'Ada Byron',
      legacyDn: '/o=corp/ou=First/cn=Recipients/cn=ada',
      deploymentId: '6d1c3b0a-0000-4000-8000-000000000001',
      smtpAddress: 'ada@corp.example',
    });
    expect(answer).toMatchObject({ action: 'settings', microsoftOnline: false, publicFolderAddress: 'folders@corp.example' });
    const [exch, expr, web, mapi] = answer.protocols;
    expect(exch?.fields['EcpUrl-um']).toBe('?p=voicemail');
    expect([exch, expr].map((one) => one && authPackageScheme(one))).toEqual(['NTLM', 'Basic']);
    expect(web?.owaUrls).toEqual([
      { side: 'internal', url: 'https://mbx01.corp.example/owa/', authenticationMethod: 'Ntlm, WindowsIntegrated' },
      { side: 'external', url: 'https://mail.corp.example/owa/', authenticationMethod: 'Fba' },
    ]);
    expect(mapi).toMatchObject({
      type: 'mapiHttp',
      mailStore: {
        internalUrl: 'https://mbx01.corp.example/mapi/emsmdb/',
        externalUrl: 'https://mail.corp.example/mapi/emsmdb/',
      },
      addressBook: { externalUrl: 'https://mail.corp.example/mapi/nspi/' },
    });
  });

  it('asks by address or by legacy DN, for Outlook or ActiveSync', () => {
    const request = (options: Parameters<typeof poxBody>[0]) => parseXml(poxBody(options)).child('Request');
    expect(request({ address: 'a&b@corp.example' })?.textOf('EMailAddress')).toBe('a&b@corp.example');
    expect(request({ address: 'a@corp.example', legacyDn: '/o=x' })?.textOf('EMailAddress')).toBeUndefined();
    expect(request({ address: 'a@corp.example', schema: 'mobilesync' })?.textOf('AcceptableResponseSchema')).toBe(
      'http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006',
    );
  });
});

describe('Autodiscover V2', () => {
  it('asks with the address encoded', () => {
    expect(v2Url('outlook.office365.com', 'a+b/c@corp.example', 'EWS').href).toBe(
      'https://outlook.office365.com/autodiscover/autodiscover.json/v1.0/a%2Bb%2Fc%40corp.example?Protocol=EWS&ServerLocation=true',
    );
  });
  it('reads a URL with or without its location, and an error with any code', () => {
    expect(readV2Response('{"Protocol":"EWS","Url":"https://x.example/","ServerLocation":"Exchange Online"}')).toEqual({
      kind: 'found',
      protocol: 'EWS',
      url: 'https://x.example/',
      serverLocation: 'Exchange Online',
    });
    expect(readV2Response('{"ErrorCode":"CodeOfTomorrow","ErrorMessage":"m"}')).toEqual({
      kind: 'error',
      code: 'CodeOfTomorrow',
      message: 'm',
    });
  });
  it.each(['', '[]', 'null', '{}', '{"Url":1}', '<html>', '{"Url"'])('refuses %s', (text) => {
    expect(() => readV2Response(text)).toThrow(AutodiscoverError);
  });
});
