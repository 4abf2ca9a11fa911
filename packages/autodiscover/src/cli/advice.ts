import type { AutodiscoverError } from '../errors.js';

const BY_CODE: Readonly<Record<string, string>> = {
  NOT_FOUND:
    'Compare the steps with https://testconnectivity.microsoft.com. Naming the server takes a program: discover(address, { endpoint }).',
  AUTH_FAILED: 'Check user name and password; Exchange Online no longer takes passwords.',
  REDIRECT_BLOCKED: 'If the target is right, allow it with --trusted-host HOST.',
  TIMEOUT: 'Wait longer, with --timeout SECONDS.',
};

/** What somebody at the command line can do; `undefined` where it is what a program can do. `user` is who signed in. */
export function commandAdvice({ code, trace }: AutodiscoverError, user: string | undefined): string | undefined {
  const name = code.replace('TOKENRY_AUTODISCOVER_', '');
  const outcomes = new Set(trace.map(({ outcome }) => outcome));
  if (name === 'NOT_FOUND' && outcomes.has('scheme-not-offered'))
    return 'The command signs in by Basic only. Other ways take a program: discover(address, { credentials }).';
  if (name === 'NOT_FOUND' && outcomes.has('no-credentials'))
    return user === undefined
      ? 'Sign in with --user NAME; the password is read from standard input.'
      : 'If the server that wants the password is right, let it have it with --trusted-host HOST.';
  return BY_CODE[name];
}
