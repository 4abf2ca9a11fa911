import { createHash } from 'node:crypto';
import { type DevAuthority, type RefreshTokenMode, startDevAuthority } from '@tokenry/dev-authority';
import { afterEach, describe, expect, it } from 'vitest';
import { ADA, refresh, signIn, trust } from './fetch-client.js';

let authority: DevAuthority;
const start = async (refreshTokens: RefreshTokenMode) => {
  authority = await startDevAuthority({ refreshTokens });
  trust(authority);
};
afterEach(() => authority.close());

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('a used refresh token', () => {
  it('stays valid when reusable, and every answer brings another', async () => {
    await start('reusable');
    const { refresh_token: first } = (await signIn(authority)).body;
    const second = await refresh(authority, first);
    const again = await refresh(authority, first);
    expect([second.status, again.status, (await refresh(authority, second.body.refresh_token)).status]).toEqual([200, 200, 200]);
    expect(new Set([first, second.body.refresh_token, again.body.refresh_token]).size).toBe(3);
  });

  it('is refused when one-time, and its successor goes on', async () => {
    await start('one-time');
    const { refresh_token: first } = (await signIn(authority)).body;
    const second = await refresh(authority, first);
    const { status, body } = await refresh(authority, first);
    expect([status, body.error, body.suberror]).toEqual([400, 'invalid_grant', 'bad_token']);
    expect((await refresh(authority, second.body.refresh_token)).status).toBe(200);
  });

  it('takes the whole sign-in with it when one-time-revoking, and no other sign-in', async () => {
    await start('one-time-revoking');
    const [one, other] = [await signIn(authority), await signIn(authority)];
    const second = await refresh(authority, one.body.refresh_token);
    expect((await refresh(authority, one.body.refresh_token)).body.error).toBe('invalid_grant');
    expect((await refresh(authority, second.body.refresh_token)).body.error).toBe('invalid_grant');
    expect((await refresh(authority, other.body.refresh_token)).status).toBe(200);
  });

  it('lets exactly one of many concurrent requests through', async () => {
    await start('one-time');
    const { refresh_token: token } = (await signIn(authority)).body;
    const answers = await Promise.all(Array.from({ length: 12 }, () => refresh(authority, token)));
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
  });
});

describe('a refresh token', () => {
  it('serves other scopes and resources than it was issued for', async () => {
    await start('one-time');
    const first = await signIn(authority, { scope: 'openid offline_access User.Read' });
    const mail = await refresh(authority, first.body.refresh_token, { scope: 'openid https://graph.microsoft.com/Mail.Read' });
    expect(mail.body.scope).toBe('openid https://graph.microsoft.com/Mail.Read');
    const other = await refresh(authority, mail.body.refresh_token, { scope: 'api://other/.default' });
    expect(other.body.scope).toBe('api://other/user_impersonation api://other/.default');
  });

  it('answers for the scopes of before when none are named', async () => {
    await start('reusable');
    const { body } = await signIn(authority, { scope: 'openid offline_access User.Read' });
    expect((await refresh(authority, body.refresh_token)).body.scope).toBe('openid User.Read');
  });

  it('is good for the client it was issued to only', async () => {
    await start('reusable');
    const { body } = await signIn(authority);
    const stolen = await refresh(authority, body.refresh_token, { client_id: 'another-client' });
    expect([stolen.status, stolen.body.error]).toEqual([400, 'invalid_grant']);
  });

  it('expires after ninety days', async () => {
    await start('reusable');
    const { body } = await signIn(authority);
    authority.advanceClock(91 * 86_400_000);
    const late = await refresh(authority, body.refresh_token);
    expect([late.body.error, late.body.suberror, late.body.error_codes]).toEqual(['invalid_grant', 'token_expired', [700082]]);
  });

  it('ends when the user’s sessions are revoked', async () => {
    await start('reusable');
    const [ada, ben] = [await signIn(authority), await signIn(authority, { username: 'ben@contoso.example' })];
    authority.revokeSessions(ADA);
    expect((await refresh(authority, ada.body.refresh_token)).body.error).toBe('invalid_grant');
    expect((await refresh(authority, ben.body.refresh_token)).status).toBe(200);
  });
});

describe('calls', () => {
  it('names every request in order, with hashes instead of tokens', async () => {
    await start('one-time');
    const first = await signIn(authority);
    const second = await refresh(authority, first.body.refresh_token, { scope: 'User.Read', claims: '{"x":1}' });
    await refresh(authority, first.body.refresh_token);
    expect(authority.calls().map(({ grantType, outcome }) => [grantType, outcome])).toEqual([
      ['authorization_code', 'issued'],
      ['refresh_token', 'issued'],
      ['refresh_token', 'refused'],
    ]);
    const [good, bad] = authority.calls({ grantType: 'refresh_token' });
    expect(good).toMatchObject({
      clientId: 'client-id',
      tenant: authority.accountOptions.tenantId,
      scope: 'User.Read',
      claims: '{"x":1}',
      status: 200,
      username: ADA,
      refreshTokenSha256: sha256(first.body.refresh_token),
      issuedRefreshTokenSha256: sha256(second.body.refresh_token),
    });
    expect(bad).toMatchObject({
      status: 400,
      error: 'invalid_grant',
      suberror: 'bad_token',
      refreshTokenSha256: sha256(first.body.refresh_token),
    });
    expect(JSON.stringify(authority.calls())).not.toContain('rt-TEST-');
  });

  it('can be filtered by grant and client', async () => {
    await start('reusable');
    const { body } = await signIn(authority);
    await refresh(authority, body.refresh_token);
    expect(authority.calls({ grantType: 'refresh_token' }).length).toBe(1);
    expect(authority.calls({ clientId: 'nobody' })).toEqual([]);
    expect(authority.calls({ grantType: 'refresh_token', clientId: 'client-id' }).length).toBe(1);
  });

  it('starts anew when told to forget', async () => {
    await start('reusable');
    const { body } = await signIn(authority);
    authority.forgetCalls();
    expect(authority.calls()).toEqual([]);
    await refresh(authority, body.refresh_token);
    expect(authority.calls().map(({ grantType, outcome }) => [grantType, outcome])).toEqual([['refresh_token', 'issued']]);
  });

  it('shows a request that is still being worked on', async () => {
    await start('reusable');
    const { body } = await signIn(authority);
    authority.faults.add({ endpoint: 'token', grantType: 'refresh_token', delayMs: 300 });
    const slow = refresh(authority, body.refresh_token);
    await expect.poll(() => authority.calls({ grantType: 'refresh_token' })[0]?.outcome, { interval: 5 }).toBe('pending');
    await slow;
    expect(authority.calls({ grantType: 'refresh_token' })[0]?.outcome).toBe('issued');
  });
});
