import { ewsSettings, fixture, poxAnswer, poxError, soapAnswer } from '../fixtures/answers.js';

/** Answers to start from, by protocol. */
export const CORPUS = {
  soap: [
    fixture('soap-collections.xml'),
    soapAnswer([ewsSettings('mail.corp.example', 'ada@corp.example')]),
    soapAnswer([{ code: 'InvalidUser', message: 'No.' }]),
    soapAnswer([{ code: 'RedirectAddress', redirectTarget: 'bob@corp.example' }]),
    soapAnswer([{ code: 'RedirectUrl', redirectTarget: 'https://exchange.corp.example/autodiscover/autodiscover.svc' }]),
    soapAnswer([], { code: 'ServerBusy', message: 'Later.' }),
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>version</faultstring></s:Fault></s:Body></s:Envelope>',
  ],
  pox: [
    fixture('pox-three-protocols.xml'),
    poxAnswer('<Action>redirectAddr</Action><RedirectAddr>bob@corp.example</RedirectAddr>'),
    poxAnswer(
      '<Action>redirectUrl</Action><RedirectUrl>https://exchange.corp.example/autodiscover/autodiscover.xml</RedirectUrl>',
    ),
    poxError('500', "The email address can't be found."),
  ],
  json: [
    '{"Protocol":"EWS","Url":"https://mail.corp.example/EWS/Exchange.asmx","ServerLocation":"Exchange Online"}',
    '{"ErrorCode":"ProtocolNotSupported","ErrorMessage":"No."}',
    ...['openid-global', 'openid-dod', 'openid-not-found', 'realm-federated', 'instances'].map((name) =>
      fixture(`tenant/${name}.json`),
    ),
  ],
  header: [
    'HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\n\r\n',
    'HTTP/1.1 302 Found\r\nlocation: https://exchange.corp.example/autodiscover/autodiscover.xml\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic realm="corp", NTLM, Bearer authorization_uri="https://login.windows.net/"\r\ncontent-length: 0\r\n\r\n',
    'HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
} as const;
export const EVERYTHING: readonly string[] = Object.values(CORPUS).flat();
