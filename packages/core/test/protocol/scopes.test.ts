import { describe, expect, test } from 'vitest';
import { MSBusinessCentral365Protocol } from '../../src/protocol/business-central.js';
import { MSGraphProtocol } from '../../src/protocol/graph.js';
import { Protocol } from '../../src/protocol/protocol.js';
import { graphScopeHelpers, type Scopes } from '../../src/protocol/scopes.js';

const GRAPH = 'https://graph.microsoft.com/';
const graph = new MSGraphProtocol();
const scopesOf = (scopes: unknown) => graph.getScopesFor(scopes as Scopes);

describe('helpers', () => {
  test('the table is the one of python-o365 and does not change unnoticed', () => {
    expect(Object.entries(graphScopeHelpers).map(([name, scopes]) => `${name}: ${scopes.join(' ')}`)).toEqual([
      'basic: User.Read',
      'mailbox: Mail.Read',
      'mailbox_shared: Mail.Read.Shared',
      'mailbox_settings: MailboxSettings.ReadWrite',
      'message_send: Mail.Send',
      'message_send_shared: Mail.Send.Shared',
      'message_all: Mail.ReadWrite Mail.Send',
      'message_all_shared: Mail.ReadWrite.Shared Mail.Send.Shared',
      'address_book: Contacts.Read',
      'address_book_shared: Contacts.Read.Shared',
      'address_book_all: Contacts.ReadWrite',
      'address_book_all_shared: Contacts.ReadWrite.Shared',
      'calendar: Calendars.Read',
      'calendar_shared: Calendars.Read.Shared',
      'calendar_all: Calendars.ReadWrite',
      'calendar_shared_all: Calendars.ReadWrite.Shared',
      'users: User.ReadBasic.All',
      'onedrive: Files.Read.All',
      'onedrive_all: Files.ReadWrite.All',
      'sharepoint: Sites.Read.All',
      'sharepoint_all: Sites.ReadWrite.All',
      'sharepoint_dl: Sites.ReadWrite.All',
      'settings_all: MailboxSettings.ReadWrite',
      'tasks: Tasks.Read',
      'tasks_all: Tasks.ReadWrite',
      'presence: Presence.Read',
    ]);
    const permissions = new Set(Object.values(graphScopeHelpers).flat());
    expect(permissions.size).toBe(24);
  });

  test('expand in the order given, each permission once', () => {
    expect(scopesOf(['message_all', 'basic', 'message_send', 'Mail.Send', 'mail.send'])).toEqual([
      `${GRAPH}Mail.ReadWrite`,
      `${GRAPH}Mail.Send`,
      `${GRAPH}User.Read`,
    ]);
  });

  test('a string is one scope or several with spaces between', () => {
    expect(scopesOf('basic')).toEqual([`${GRAPH}User.Read`]);
    expect(scopesOf(' basic  Mail.Read ')).toEqual([`${GRAPH}User.Read`, `${GRAPH}Mail.Read`]);
    expect(scopesOf([])).toEqual([]);
  });
});

describe('B21: scopes as they are written', () => {
  test('offline_access and the other reserved scopes never get a prefix', () => {
    expect(scopesOf(['openid', 'basic', 'offline_access', 'profile', 'email'])).toEqual([
      'openid',
      `${GRAPH}User.Read`,
      'offline_access',
      'profile',
      'email',
    ]);
  });

  test.each([
    'https://outlook.office.com/IMAP.AccessAsUser.All',
    'https://Graph.microsoft.com/Mail.Read',
    'api://00000000-0000-0000-0000-000000000001/access_as_user',
    '00000003-0000-0000-c000-000000000000/.default',
    'https://graph.microsoft.com/.default',
    'urn:contoso:scope',
  ])('a scope of its own resource stays as it is: %s', (scope) => {
    expect(scopesOf(scope)).toEqual([scope]);
  });

  test.each(['Mail.Read', 'mail.read', 'Directory', '.default', 'User-LifeCycleInfo.Read.All'])(
    'a permission gets the prefix: %s',
    (scope) => {
      expect(scopesOf(scope)).toEqual([GRAPH + scope]);
    },
  );

  test.each([
    ['mailboxx', 'mailbox'],
    ['message_al', 'message_all'],
    ['offline_acces', 'offline_access'],
    ['calender', 'calendar'],
  ])('a typing mistake is a TypeError that names the nearest: %s', (scope, nearest) => {
    expect(() => scopesOf(['basic', scope])).toThrow(new RegExp(`Unknown scope "${scope}"; did you mean "${nearest}"`));
    expect(() => scopesOf(scope)).toThrow(TypeError);
  });

  test('an unknown word far from all helpers is a TypeError without a guess', () => {
    expect(() => scopesOf('everything_please')).toThrow(/^Unknown scope "everything_please"\. Use/);
    expect(() => scopesOf('constructor')).toThrow(TypeError);
  });

  test.each([undefined, null, 7, {}, [7], [['offline_access']], new Set(['basic'])])(
    'no scopes, or something else, is a TypeError and never "everything": %o',
    (scopes) => {
      expect(() => scopesOf(scopes)).toThrow(TypeError);
    },
  );
});

describe('prefixScope', () => {
  test('adds the prefix once', () => {
    expect(graph.prefixScope('Mail.Read')).toBe(`${GRAPH}Mail.Read`);
    expect(graph.prefixScope(`${GRAPH}Mail.Read`)).toBe(`${GRAPH}Mail.Read`);
    expect(graph.prefixScope('offline_access')).toBe('offline_access');
  });

  test('a protocol without prefix and helpers lets every scope pass', () => {
    const plain = new Protocol({ protocolUrl: 'https://api.example/', apiVersion: 'v1' });
    expect(plain.prefixScope('read')).toBe('read');
    expect(plain.getScopesFor(['read', 'user:email', 'openid'])).toEqual(['read', 'user:email', 'openid']);
  });
});

test('Business Central has its own helpers and refuses those of Graph', () => {
  const protocol = new MSBusinessCentral365Protocol();
  const prefix = 'https://api.businesscentral.dynamics.com/';
  expect(protocol.getScopesFor(['basic', 'financials_all', 'automation_all'])).toEqual([
    `${prefix}user_impersonation`,
    `${prefix}Financials.ReadWrite.All`,
    `${prefix}Automation.ReadWrite.All`,
  ]);
  expect(protocol.getScopesFor('.default')).toEqual([`${prefix}.default`]);
  expect(() => protocol.getScopesFor('mailbox')).toThrow(TypeError);
});
