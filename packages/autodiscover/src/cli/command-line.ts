import { parseArgs } from 'node:util';
import { invalidArgument } from '@tokenry/core/backend';

export interface CommandLine {
  readonly help: boolean;
  readonly address: string;
  readonly json: boolean;
  readonly cache: boolean;
  readonly askMicrosoft: boolean;
  readonly trustedHosts: readonly string[];
  readonly timeoutMs: number;
  /** Signs in by Basic as this user, with a password from standard input. */
  readonly user?: string;
}

export const HELP = `Finds out where a mailbox is and how to reach it.

  npx @tokenry/autodiscover you@example.com [options]

  --json               print the result, or the error, as JSON
  --no-credentials     ask anonymous services only (the default)
  --user NAME          sign in as NAME by Basic, to hosts of the mail domain only; the password is read from standard input
  --trusted-host HOST  let the search, and the password, go to this host too; may be repeated
  --no-microsoft       do not ask Microsoft who owns the domain
  --cache              use and fill the cache of this user
  --timeout SECONDS    give up after this long (default 30)
  --help               show this text

Exit codes
  0  found
  1  not found, or the server failed
  2  wrong use: an unknown option, an address that may not be discovered
  3  the server wants credentials, or refused them
  4  the way leads to a host outside the trust rules
  5  no answer in time
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
  credentials: { type: 'boolean' },
  user: { type: 'string' },
  'trusted-host': { type: 'string', multiple: true },
  microsoft: { type: 'boolean' },
  cache: { type: 'boolean' },
  timeout: { type: 'string' },
} as const;

/** Reads the arguments. @throws TypeError saying what is wrong */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, allowNegative: true });
  const { help = false, user, timeout = '30' } = values;
  const seconds = Number(timeout);
  if (!help && positionals.length !== 1) throw invalidArgument('Give one e-mail address.');
  if (!(seconds > 0 && seconds < 86_400)) throw invalidArgument('--timeout takes a number of seconds.');
  if (values.credentials === true && user === undefined) throw invalidArgument('--credentials needs --user.');
  return {
    help,
    address: positionals[0] ?? '',
    json: values.json ?? false,
    cache: values.cache ?? false,
    askMicrosoft: values.microsoft ?? true,
    trustedHosts: values['trusted-host'] ?? [],
    timeoutMs: Math.round(seconds * 1000),
    ...(user === undefined || values.credentials === false ? {} : { user }),
  };
}
