import { describe, expect, test } from 'vitest';
import { MSBusinessCentral365Protocol } from '../../src/protocol/business-central.js';
import { MSGraphProtocol } from '../../src/protocol/graph.js';
import { Protocol, type ProtocolOptions } from '../../src/protocol/protocol.js';

describe('service URLs', () => {
  test('Graph: v1.0 by default, beta on request', () => {
    expect(new MSGraphProtocol().serviceUrl).toBe('https://graph.microsoft.com/v1.0/');
    expect(new MSGraphProtocol({ apiVersion: 'beta' }).serviceUrl).toBe('https://graph.microsoft.com/beta/');
  });

  test('the host of a cloud sets service URL and scope prefix together', () => {
    const china = new MSGraphProtocol({ host: 'microsoftgraph.chinacloudapi.cn' });
    expect(china.serviceUrl).toBe('https://microsoftgraph.chinacloudapi.cn/v1.0/');
    expect(china.getScopesFor('basic')).toEqual(['https://microsoftgraph.chinacloudapi.cn/User.Read']);
    expect(new MSGraphProtocol({ host: '127.0.0.1:4000' }).serviceUrl).toBe('https://127.0.0.1:4000/v1.0/');
    expect(new MSGraphProtocol({ host: 'http://127.0.0.1:4000' }).serviceUrl).toBe('http://127.0.0.1:4000/v1.0/');
  });

  test('Business Central: version 2.0 of the named environment', () => {
    expect(new MSBusinessCentral365Protocol().serviceUrl).toBe(
      'https://api.businesscentral.dynamics.com/v2.0/production/api/v2.0/',
    );
    expect(new MSBusinessCentral365Protocol({ environment: 'sandbox-1', apiVersion: 'beta' }).serviceUrl).toBe(
      'https://api.businesscentral.dynamics.com/v2.0/sandbox-1/api/beta/',
    );
    expect(() => new MSBusinessCentral365Protocol({ environment: '../x' })).toThrow(TypeError);
  });

  test('slashes at the ends make no difference', () => {
    for (const protocolUrl of ['https://api.example/x', 'https://api.example/x/'])
      expect(new Protocol({ protocolUrl, apiVersion: '/v2/' }).serviceUrl).toBe('https://api.example/x/v2/');
  });
});

describe('what cannot work is refused', () => {
  test.each([
    ['nothing', {}],
    ['no version', { protocolUrl: 'https://api.example/' }],
    ['no URL', { apiVersion: 'v1' }],
    ['plain http', { protocolUrl: 'http://api.example/', apiVersion: 'v1' }],
    ['credentials in the URL', { protocolUrl: 'https://a:b@api.example/', apiVersion: 'v1' }],
    ['an unknown zone', { protocolUrl: 'https://api.example/', apiVersion: 'v1', timezone: 'Europe/Madird' }],
  ])('%s', (_name, options) => {
    expect(() => new Protocol(options as ProtocolOptions)).toThrow(TypeError);
  });

  test('an unknown option, naming the nearest', () => {
    expect(() => new MSGraphProtocol({ apiVerison: 'beta' } as object)).toThrow(/did you mean "apiVersion"/);
    for (const host of ['graph.microsoft.com/v1.0', 'a:b@graph.microsoft.com', '', 'http://graph.microsoft.com'])
      expect(() => new MSGraphProtocol({ host }), host).toThrow(TypeError);
  });
});

describe('keys, words and limits', () => {
  test.each([
    ['received_date_time', 'receivedDateTime'],
    ['receivedDateTime', 'receivedDateTime'],
    ['CaseTest', 'caseTest'],
    ['id', 'id'],
    ['@odata.type', '@odata.type'],
  ])('convertCase writes %s as %s', (key, expected) => {
    expect(new MSGraphProtocol().convertCase(key)).toBe(expected);
  });

  test.each([
    ['CaseTest', 'case_test'],
    ['receivedDateTime', 'received_date_time'],
    ['webURL', 'web_url'],
    ['case_test', 'case_test'],
  ])('toApiCase writes %s as %s', (key, expected) => {
    expect(Protocol.toApiCase(key)).toBe(expected);
  });

  test('casing: false leaves keys alone', () => {
    const protocol = new Protocol({ protocolUrl: 'https://api.example/', apiVersion: 'v1', casing: false });
    expect(protocol.convertCase('some_key')).toBe('some_key');
  });

  test('Graph’s own words and its largest $top', () => {
    const graph = new MSGraphProtocol();
    expect(graph.maxTopValue).toBe(999);
    expect(graph.getServiceKeyword('message_type')).toBe('microsoft.graph.message');
    expect(graph.getServiceKeyword('fileAttachmentType')).toBe('#microsoft.graph.fileAttachment');
    expect(graph.getServiceKeyword('nothing')).toBeUndefined();
    expect(graph.getServiceKeyword('constructor')).toBeUndefined();
  });

  test('a user’s subclass brings its own everything', () => {
    class ContosoProtocol extends Protocol {
      constructor() {
        super({
          protocolUrl: 'https://api.contoso.example/',
          apiVersion: 'v2',
          scopePrefix: 'api://contoso/',
          scopeHelpers: { reading: ['Things.Read'] },
          keywords: { thing_type: 'contoso.thing' },
          defaultResource: '',
          maxTopValue: 50,
        });
      }
      override convertCase(key: string): string {
        return key.toUpperCase();
      }
    }
    const protocol = new ContosoProtocol();
    expect(protocol.getScopesFor('reading')).toEqual(['api://contoso/Things.Read']);
    expect(protocol.convertCase('key')).toBe('KEY');
    expect(protocol.getServiceKeyword('thing_type')).toBe('contoso.thing');
    expect(protocol.resourceUrl('things')).toBe('https://api.contoso.example/v2/things');
    expect(protocol.maxTopValue).toBe(50);
  });
});

describe('time zones', () => {
  test('setting one changes the Prefer header, by IANA or Windows name', () => {
    const graph = new MSGraphProtocol({ timezone: 'Europe/Madrid' });
    expect(graph.preferTimezone).toBe('outlook.timezone="Romance Standard Time"');
    graph.timezone = 'W. Europe Standard Time';
    expect(graph.timezone).toBe('Europe/Berlin');
    expect(graph.getServiceKeyword('prefer_timezone_header')).toBe('outlook.timezone="W. Europe Standard Time"');
    expect(() => {
      graph.timezone = 'Europe/Madird';
    }).toThrow(/did you mean "Europe\/Madrid"/);
    expect(graph.timezone).toBe('Europe/Berlin');
  });
});
