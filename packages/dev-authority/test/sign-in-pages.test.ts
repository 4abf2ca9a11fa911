import { type DevAuthority, startDevAuthority } from '@tokenry/dev-authority';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADA, authorizationRequest, REDIRECT_URI, trust } from './fetch-client.js';

let authority: DevAuthority;
beforeAll(async () => {
  authority = await startDevAuthority();
  trust(authority);
});
afterAll(() => authority.close());

/** A person: opens pages, presses buttons, keeps cookies. */
function browser() {
  const cookies = new Map<string, string>();
  const visit = async (url: string, fields?: Record<string, string>): Promise<{ url: URL; status: number; html: string }> => {
    if (url.startsWith(REDIRECT_URI)) return { url: new URL(url), status: 200, html: '' };
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(fields ? { method: 'POST', body: new URLSearchParams(fields) } : {}),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split(/=(.*)/);
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    return location === null
      ? { url: new URL(url), status: answer.status, html: await answer.text() }
      : visit(new URL(location, url).href);
  };
  return visit;
}

const request = (extra: Record<string, string> = {}) =>
  authorizationRequest(authority, 'openid offline_access User.Read', { client_id: '<b>app</b>', ...extra }).url;

it('a person picks an account, agrees, and is sent back', async () => {
  const visit = browser();
  const pick = await visit(request());
  expect([pick.status, pick.html]).toEqual([200, expect.stringContaining(`value="${ADA}"`)]);
  expect(pick.html).toContain('&#60;b&#62;app&#60;/b&#62;');
  const agree = await visit(pick.url.href, { username: ADA });
  expect(agree.html).toContain('Permissions requested');
  expect(agree.html).toMatch(/<li>openid<\/li><li>offline_access<\/li><li>User.Read<\/li>/);
  const back = await visit(agree.url.href, { consent: 'accept' });
  expect(back.url.searchParams.get('code')).toMatch(/^[\w-]{20,}$/);
});

it('the second time neither is asked, unless the application wants it', async () => {
  const visit = browser();
  const pick = await visit(request({ client_id: 'twice' }));
  await visit(pick.url.href, { username: ADA, consent: 'accept' });
  expect((await visit(request({ client_id: 'twice' }))).url.searchParams.has('code')).toBe(true);
  expect((await visit(request({ client_id: 'twice', prompt: 'none' }))).url.searchParams.has('code')).toBe(true);
  expect((await visit(request({ client_id: 'twice', prompt: 'select_account' }))).html).toContain('Sign in');
  expect((await visit(request({ client_id: 'twice', prompt: 'consent' }))).html).toContain('Permissions requested');
});

it('signing out ends the session of the browser', async () => {
  const visit = browser();
  const pick = await visit(request({ client_id: 'leaving' }));
  await visit(pick.url.href, { username: ADA, consent: 'accept' });
  expect((await visit(`${authority.url}/common/oauth2/v2.0/logout`)).html).toContain('You signed out');
  expect((await visit(request({ client_id: 'leaving' }))).html).toContain('Sign in');
});

it('somebody who cancels is sent back with access_denied', async () => {
  const visit = browser();
  const pick = await visit(request());
  const { searchParams } = (await visit(pick.url.href, { cancel: 'yes' })).url;
  expect([searchParams.get('error'), searchParams.get('state')]).toEqual(['access_denied', 'state-1']);
  expect(searchParams.get('error_description')).toContain('AADSTS65004');
});

it('a stranger is welcome, a user name that is none is not', async () => {
  const visit = browser();
  const pick = await visit(request({ client_id: 'strange' }));
  expect((await visit(pick.url.href, { username: 'not a name' })).status).toBe(400);
  const back = await visit(pick.url.href, { username: 'new@contoso.example', consent: 'accept' });
  expect(back.url.searchParams.has('code')).toBe(true);
});

it('the account that the application hints at is filled in', async () => {
  const { html } = await browser()(request({ login_hint: 'hint@contoso.example' }));
  expect(html).toContain('value="hint@contoso.example"');
});

it('a sign-in page without a sign-in says what to do', async () => {
  const { status, html } = await browser()(`${authority.url}/${authority.accountOptions.tenantId}/dev/sign-in/unknown`);
  expect([status, html]).toEqual([400, expect.stringContaining('Start again from your application')]);
});

it('the device page takes a code from its address, and reports success and failure', async () => {
  const visit = browser();
  const answer = await fetch(`${authority.url}/common/oauth2/v2.0/devicecode`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: 'client-id', scope: 'openid User.Read' }),
  });
  const { user_code: code, verification_uri_complete: uri } = (await answer.json()) as {
    user_code: string;
    verification_uri_complete: string;
  };
  expect((await visit(uri)).html).toContain(`value="${code}"`);
  expect((await visit(uri, { user_code: 'WRONG', username: ADA })).status).toBe(400);
  expect((await visit(uri, { user_code: code, username: ADA })).html).toContain('All done');
});

it('the home page says what is where', async () => {
  const { status, html } = await browser()(`${authority.url}/`);
  expect([status, html]).toEqual([200, expect.stringContaining(`${authority.url}/v1.0/me`)]);
});
