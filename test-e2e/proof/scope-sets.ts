import { Findings, type Proof } from './harness/proof.ts';
import { Stage } from './harness/stage.ts';
import { storms } from './harness/storms.ts';

const SCOPE_SETS = [
  'User.Read',
  'Mail.Read',
  'Mail.Send',
  'Files.Read',
  'Tasks.Read',
  'Notes.Read',
  'People.Read',
  'Contacts.Read',
  'Calendars.Read',
  'Sites.Read.All',
];

/** The same storm, spread over ten scope sets of one account: one refresh token, ten access tokens. */
export const scopeSets: Proof = async (settings) => {
  const expiries = settings.size === 'full' ? 20 : 2;
  const findings = new Findings('10 scope sets', settings);
  await using stage = await Stage.open(settings.backend, { refreshTokens: 'one-time-revoking' });
  await stage.signIn('ada@contoso.example');
  await stage.start(8);
  const asks = Array.from({ length: 25 }, (_, index) => ({ scopes: [SCOPE_SETS[index % SCOPE_SETS.length] ?? ''] }));
  const { calls, served, errors } = await storms(stage, settings, { expiries, asks });
  const chain = stage.refreshCalls();
  const broken = chain.filter(
    (call, index) => index > 0 && call.refreshTokenSha256 !== chain[index - 1]?.issuedRefreshTokenSha256,
  );
  return findings
    .tell('expiries', expiries)
    .requireEqual('most token calls per expiry', Math.max(...calls), SCOPE_SETS.length)
    .requireEqual('calls without the newest refresh token', broken.length, 0)
    .requireEqual('invalid_grant', chain.filter(({ error }) => error === 'invalid_grant').length, 0)
    .requireEqual('callers served', served, expiries * 8 * 25)
    .errors(errors)
    .result();
};
