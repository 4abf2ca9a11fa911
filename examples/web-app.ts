// A web application with many users: sign-in in two steps, one record for each user, sign-out. PORT=3000 node examples/web-app.ts
import { randomUUID } from 'node:crypto';
import { Account, type SignInFlow, SignInRequiredError } from '@tokenry/core';
import { FileSystemTokenBackend } from '@tokenry/filesystem';
import express, { type Request, type Response } from 'express';
import { surroundings } from './dev.ts';

const { clientId, clientSecret, accountOptions } = await surroundings('ada@contoso.example');
const tokenBackend = new FileSystemTokenBackend({ tokenPath: '.tokenry/web-app' });
const account = new Account([clientId, clientSecret], { ...accountOptions, tokenBackend, scopes: ['basic', 'mailbox'] });

const port = Number(process.env.PORT ?? 3000);
const origin = `http://localhost:${port}`;

// The smallest session there is: an id in a cookie, the rest on the server. Yours may be express-session with a store.
const sessions = new Map<string, { readonly flow?: SignInFlow; readonly tokenKey?: string }>();
const idOf = (req: Request) => /(?:^|; )session=([^;]+)/.exec(req.headers.cookie ?? '')?.[1] ?? '';
const sessionOf = (req: Request) => sessions.get(idOf(req)) ?? {};
function startSession(req: Request, res: Response, session: ReturnType<typeof sessionOf>) {
  sessions.delete(idOf(req)); // what somebody kept of the old one opens nothing
  const id = randomUUID(); // a new id at each step: nobody can plant one
  sessions.set(id, session);
  res.cookie('session', id, { httpOnly: true, sameSite: 'lax', path: '/' }); // and `secure: true` behind https
}
const app = express();

app.get('/', async (req, res) => {
  const { tokenKey } = sessionOf(req);
  if (tokenKey === undefined) return res.send('<a href="/sign-in">Sign in</a>');
  const { connection } = account.forKey(tokenKey); // cheap: shares everything with the other users
  const me = (await (await connection.get('/me')).json()) as { displayName: string };
  const name = me.displayName.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return res.send(`<p>Hello, ${name}</p><form method="post" action="/sign-out"><button>Sign out</button></form>`);
});

app.get('/sign-in', async (req, res) => {
  const { url, flow } = await account.getAuthorizationUrl({ redirectUri: `${origin}/callback`, prompt: 'select_account' });
  startSession(req, res, { flow });
  res.redirect(url);
});

app.get('/callback', async (req, res) => {
  const { flow } = sessionOf(req); // of this browser: a redirect that belongs to another one is refused
  if (!flow) return res.redirect('/');
  const { tokenKey } = await account.requestToken(origin + req.url, { flow, tokenKey: (who) => who.account.homeAccountId });
  startSession(req, res, { tokenKey });
  return res.redirect('/');
});

app.post('/sign-out', async (req, res) => {
  const { tokenKey } = sessionOf(req);
  startSession(req, res, {});
  if (tokenKey === undefined) return res.redirect('/');
  const { logoutUrl } = await account.forKey(tokenKey).signOut({ postLogoutRedirectUri: origin });
  return res.redirect(logoutUrl ?? '/');
});

// Consent withdrawn, password changed, a policy: back to the login page. Everything else is a real error.
app.use((error: unknown, _req: Request, res: Response, next: (error: unknown) => void) =>
  SignInRequiredError.is(error) ? res.redirect('/sign-in') : next(error),
);
app.listen(port, '127.0.0.1', () => console.log(origin));
