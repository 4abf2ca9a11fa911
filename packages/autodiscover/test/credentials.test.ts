import { inspect } from 'node:util';
import {
  type BaseCredentials,
  Identity,
  OAuth2AuthorizationCodeCredentials,
  OAuth2Credentials,
  OAuth2LegacyCredentials,
  restoreCredentials,
  UsernamePasswordCredentials,
} from '@tokenry/autodiscover';
import { describe, expect, it } from 'vitest';

const secrets = { password: 'secret-TEST-password', clientSecret: 'secret-TEST-client', authorizationCode: 'secret-TEST-code' };
const accessToken = { access_token: 'at-TEST-one', token_type: 'Bearer' };
const app = (more: object = {}) => new OAuth2Credentials({ clientId: 'id', clientSecret: secrets.clientSecret, ...more });
const legacy = (more: object = {}) =>
  new OAuth2LegacyCredentials({
    clientId: 'id',
    clientSecret: secrets.clientSecret,
    username: 'ada',
    password: secrets.password,
    ...more,
  });

describe('upstream credentials cases (4.1)', () => {
  it('4.1.1 equal user names and passwords give equal cache keys, another user another one; no password is in the key', () => {
    const one = new UsernamePasswordCredentials('ada', secrets.password);
    expect(one.cacheKey()).toBe(new UsernamePasswordCredentials('ADA', 'secret-TEST-other').cacheKey());
    expect(one.cacheKey()).not.toBe(new UsernamePasswordCredentials('bob', secrets.password).cacheKey());
    expect(one.cacheKey()).not.toContain('secret-TEST');
  });

  it('4.1.2 equality looks at user name and password', () => {
    const one = new UsernamePasswordCredentials('ada', 'secret-TEST-a');
    expect(one.equals(new UsernamePasswordCredentials('ada', 'secret-TEST-a'))).toBe(true);
    expect(one.equals(new UsernamePasswordCredentials('ada', 'secret-TEST-b'))).toBe(false);
    expect(one.equals(new UsernamePasswordCredentials('bob', 'secret-TEST-a'))).toBe(false);
  });

  it.each([
    ['a', 'upn'],
    ['a@example.com', 'email'],
    ['a\\n', 'domain'],
    ['u@d\\x', 'email'],
    ['a@b@c', 'upn'],
    ['a\\b\\c', 'upn'],
  ])('4.1.3 the user name %s is of type %s', (username, type) => {
    expect(new UsernamePasswordCredentials(username, 'secret-TEST-x').type).toBe(type);
  });

  it.each<[string, BaseCredentials]>([
    ['user name and password', new UsernamePasswordCredentials('CORP\\ada', secrets.password)],
    ['client credentials', app({ tenantId: 'contoso.example' })],
    ['client credentials with an identity', app({ identity: new Identity({ primarySmtpAddress: 'ada@contoso.example' }) })],
    ['the password grant', legacy()],
    ['a code', new OAuth2AuthorizationCodeCredentials({ clientId: 'id', authorizationCode: secrets.authorizationCode })],
    [
      'id, secret and token',
      new OAuth2AuthorizationCodeCredentials({ clientId: 'id', clientSecret: secrets.clientSecret, accessToken }),
    ],
    ['a token alone', new OAuth2AuthorizationCodeCredentials({ accessToken })],
    [
      'everything',
      new OAuth2AuthorizationCodeCredentials({
        clientId: 'id',
        clientSecret: secrets.clientSecret,
        tenantId: 'contoso.example',
        authorizationCode: secrets.authorizationCode,
        accessToken,
      }),
    ],
  ])('4.1.4 %s survive serialisation with class, equality, cache key, inspect and string', (_name, credentials) => {
    const given = { ...secrets, accessToken };
    const used = (['password', 'clientSecret', 'authorizationCode', 'accessToken'] as const).filter((name) =>
      needed(credentials).includes(name),
    );
    const state = JSON.parse(JSON.stringify(credentials.serialize()));
    const restored = restoreCredentials(state, Object.fromEntries(used.map((name) => [name, given[name]])));
    expect(restored.constructor).toBe(credentials.constructor);
    expect(restored.equals(credentials)).toBe(true);
    expect(restored.cacheKey()).toBe(credentials.cacheKey());
    expect(inspect(restored)).toBe(inspect(credentials));
    expect(String(restored)).toBe(String(credentials));
  });

  it('4.1.4 an identity survives serialisation', () => {
    const identity = new Identity({
      sid: 'S-1',
      upn: 'ada@contoso.example',
      smtpAddress: 'a@x.example',
      primarySmtpAddress: 'b@x.example',
    });
    expect(new Identity(JSON.parse(JSON.stringify(identity))).equals(identity)).toBe(true);
    expect(identity.connectingSid).toEqual({ element: 'SID', value: 'S-1' });
    expect(new Identity({ smtpAddress: 'a@x.example', upn: 'u@x.example' }).connectingSid).toEqual({
      element: 'PrincipalName',
      value: 'u@x.example',
    });
  });

  it('4.1.5 refresh() does nothing until somebody overrides it', async () => {
    const credentials = app({ accessToken });
    await credentials.refresh();
    expect(credentials.accessToken).toEqual(accessToken);
  });

  it('4.1.6 a token that is not an object is refused by constructor, setter and callback, without being shown', () => {
    const wrong = 'at-TEST-wrong' as unknown as typeof accessToken;
    const text = '"accessToken" must be an object with a string "access_token", or null; got a string.';
    expect(() => app({ accessToken: wrong })).toThrow(text);
    const credentials = app();
    expect(() => {
      credentials.accessToken = wrong;
    }).toThrow(text);
    expect(() => credentials.onTokenAutoRefreshed(wrong)).toThrow(text);
  });

  it('4.1.7 a code asks for offline access, and is handed out once', () => {
    const credentials = new OAuth2AuthorizationCodeCredentials({ clientId: 'id', authorizationCode: secrets.authorizationCode });
    expect(credentials.scopes).toEqual(['https://outlook.office365.com/.default', 'offline_access']);
    expect(credentials.tokenParams()).toEqual({ includeClientId: true, code: 'secret-TEST-code' });
    expect(credentials.tokenParams()).toEqual({ includeClientId: true });
  });

  it('4.1.8 the password grant asks for EWS.AccessAsUser.All with user name and password', () => {
    expect(legacy().scopes).toEqual(['https://outlook.office365.com/EWS.AccessAsUser.All']);
    expect(legacy().tokenParams()).toEqual({ includeClientId: true, username: 'ada', password: 'secret-TEST-password' });
  });

  it('4.1.9 client credentials ask for the default scope of their cloud, and send nothing but the client', () => {
    expect(app().scopes).toEqual(['https://outlook.office365.com/.default']);
    expect(app({ cloud: 'usgov' }).scopes).toEqual(['https://outlook.office365.us/.default']);
    expect(app({ cloud: 'china', tenantId: 't' }).tokenUrl).toBe('https://login.partner.microsoftonline.cn/t/oauth2/v2.0/token');
    expect(app().tokenUrl).toBe('https://login.microsoftonline.com/common/oauth2/v2.0/token');
    expect(app().tokenParams()).toEqual({ includeClientId: true });
  });

  it('4.1.10 the callback takes a token object, and sig() is an integer that moves with the token', () => {
    const credentials = app();
    const before = credentials.sig();
    credentials.onTokenAutoRefreshed({ access_token: 'at-TEST-two' });
    expect(Number.isSafeInteger(before)).toBe(true);
    expect(credentials.sig()).not.toBe(before);
    expect(app({ identity: new Identity({ upn: 'ada@contoso.example' }) }).sig()).toBe(before);
    expect(credentials.accessToken).toEqual({ access_token: 'at-TEST-two' });
  });
});

describe('upstream defects that stay away (1.5)', () => {
  it('neither a token nor a spent code changes equality or the cache key', () => {
    const one = app();
    const two = app({ accessToken: { access_token: 'at-TEST-two' } });
    expect(one.equals(two)).toBe(true);
    const code = () => new OAuth2AuthorizationCodeCredentials({ clientId: 'id', authorizationCode: 'secret-TEST-code' });
    const [spent, key] = [code(), code().cacheKey()];
    spent.tokenParams();
    expect(spent.equals(code())).toBe(true);
    expect(spent.cacheKey()).toBe(key);
  });

  it('names cannot be changed afterwards: caches go by them', () => {
    const all: [object, string[]][] = [
      [new UsernamePasswordCredentials('ada', secrets.password), ['username', 'type']],
      [app(), ['clientId', 'tenantId', 'identity', 'cloud']],
      [legacy(), ['username', 'clientId']],
      [new Identity({ upn: 'ada@contoso.example' }), ['upn', 'sid']],
    ];
    for (const [target, names] of all)
      for (const name of names) expect(() => Object.assign(target, { [name]: 'x' }), name).toThrow(TypeError);
    // What is meant to move still moves, and a class of one's own may have fields of its own.
    class Mine extends OAuth2Credentials {
      extra = 1;
    }
    const mine = new Mine({ clientId: 'id', clientSecret: secrets.clientSecret });
    mine.extra = 2;
    mine.accessToken = accessToken;
    expect([mine.extra, mine.accessToken]).toEqual([2, accessToken]);
  });

  it('comparing with nothing, a string or another kind is false, in either direction', () => {
    for (const other of [null, undefined, 'x', {}, legacy()]) expect(app().equals(other)).toBe(false);
    expect(legacy().equals(app())).toBe(false);
  });

  it('credentials that hold a token alone are each their own', () => {
    const [one, two] = [1, 2].map(() => new OAuth2AuthorizationCodeCredentials({ accessToken }));
    expect(one?.equals(two)).toBe(false);
    expect(one?.cacheKey()).not.toBe(two?.cacheKey());
  });

  it('no secret is in inspect, string, JSON, cache key or serialisation', () => {
    const all = [
      new UsernamePasswordCredentials('ada', secrets.password),
      app({ accessToken }),
      legacy({ accessToken }),
      new OAuth2AuthorizationCodeCredentials({ clientId: 'id', authorizationCode: secrets.authorizationCode, accessToken }),
    ];
    for (const credentials of all) {
      const printed = [
        inspect(credentials, { depth: 9, showHidden: true }),
        String(credentials),
        JSON.stringify(credentials),
        credentials.cacheKey(),
        JSON.stringify(Object.entries(credentials)),
      ].join('\n');
      expect(printed).not.toMatch(/(secret|at|rt)-TEST/);
    }
  });

  it('says in its string what a code credential holds', () => {
    expect(String(new OAuth2AuthorizationCodeCredentials())).toBe('[underspecified credentials]');
    expect(String(new OAuth2AuthorizationCodeCredentials({ clientId: 'id', accessToken }))).toBe('id [access_token]');
    expect(String(new OAuth2AuthorizationCodeCredentials({ clientId: 'id', authorizationCode: 'secret-TEST-c' }))).toBe(
      'id [authorization_code]',
    );
  });

  it('session parameters renew the token only where id and secret are known', () => {
    expect(new OAuth2AuthorizationCodeCredentials({ accessToken }).sessionParams()).toEqual({ token: accessToken });
    expect(app().sessionParams()).toMatchObject({
      token: undefined,
      autoRefreshUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
      autoRefreshParams: { client_id: 'id', client_secret: 'secret-TEST-client' },
    });
  });

  it('an unknown option is refused by name', () => {
    expect(() => app({ tennantId: 'x' })).toThrow('unknown option "tennantId"; did you mean "tenantId"?');
  });

  it('a held token is handed out until its last minute, then refresh() runs once for all who wait', async () => {
    let refreshes = 0;
    class Elsewhere extends OAuth2AuthorizationCodeCredentials {
      override async refresh() {
        refreshes++;
        this.accessToken = { access_token: 'at-TEST-new', expires_at: Math.floor(Date.now() / 1000) + 3600 };
      }
    }
    const credentials = new Elsewhere({
      accessToken: { access_token: 'at-TEST-old', expires_at: Math.floor(Date.now() / 1000) + 30 },
    });
    const tokens = await Promise.all(Array.from({ length: 20 }, () => credentials.getAccessToken()));
    expect(new Set(tokens.map(({ token }) => token))).toEqual(new Set(['at-TEST-new']));
    expect(refreshes).toBe(1);
  });

  it('an expired token with no way to another says that a sign-in is needed', async () => {
    const credentials = new OAuth2AuthorizationCodeCredentials({ accessToken: { access_token: 'at-TEST-old', expires_at: 1 } });
    await expect(credentials.getAccessToken()).rejects.toMatchObject({ code: 'TOKENRY_NOT_AUTHENTICATED' });
  });
});

function needed(credentials: BaseCredentials): readonly string[] {
  if (credentials instanceof UsernamePasswordCredentials) return ['password'];
  if (credentials instanceof OAuth2LegacyCredentials) return ['password', 'clientSecret'];
  if (credentials instanceof OAuth2Credentials) return ['clientSecret'];
  const holds = String(credentials);
  const hasSecret = (credentials as OAuth2AuthorizationCodeCredentials).sessionParams().autoRefreshParams !== undefined;
  // The code that built it is known here alone: whoever persists it keeps it elsewhere.
  const hasCode = holds.includes('authorization_code') || credentials.serialize().tenantId !== undefined;
  return [
    ...(hasSecret ? ['clientSecret'] : []),
    ...(hasCode ? ['authorizationCode'] : []),
    ...(holds.includes('access_token') ? ['accessToken'] : []),
  ];
}
