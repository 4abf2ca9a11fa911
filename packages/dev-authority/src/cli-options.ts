import { parseArgs } from 'node:util';
import { type DevAuthorityOptions, resolveSettings } from './options.js';

export const HELP = `Usage: tokenry-dev-authority [options]

Starts an authorization server that behaves like Entra ID, with a small Graph-like API, on this machine only.

  --port <n>                    port on loopback (default: a free one)
  --users <a@x,b@y>             who is offered on the sign-in page; anybody else can sign in too
  --tenant <guid>               directory id
  --access-token-seconds <n>    lifetime of access tokens (default 3600)
  --refresh-tokens <mode>       reusable | one-time | one-time-revoking (default reusable)
  --ca                          print the certificate authority's PEM
  --ca-file <path>              write that PEM to a file, for NODE_EXTRA_CA_CERTS and the like
  --json                        print one line of JSON for programs instead of text for people
  --help                        this text

Ctrl-C stops it. Nothing else is written to disk, and nothing survives the process.
`;

/** What the command line asks for. */
export interface CliRequest {
  readonly options: DevAuthorityOptions;
  readonly help: boolean;
  readonly printCa: boolean;
  readonly caFile: string | undefined;
  readonly json: boolean;
}

/** Reads the command line. @throws TypeError that says what is wrong with it */
export function parseCommandLine(args: readonly string[]): CliRequest {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      users: { type: 'string' },
      tenant: { type: 'string' },
      'access-token-seconds': { type: 'string' },
      'refresh-tokens': { type: 'string' },
      ca: { type: 'boolean', default: false },
      'ca-file': { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const given = {
    port: wholeNumber('--port', values.port),
    users: values.users?.split(',').map((username) => ({ username: username.trim() })),
    tenantId: values.tenant,
    accessTokenSeconds: wholeNumber('--access-token-seconds', values['access-token-seconds']),
    refreshTokens: values['refresh-tokens'],
  };
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as DevAuthorityOptions;
  resolveSettings(options);
  return { options, help: values.help, printCa: values.ca, caFile: values['ca-file'], json: values.json };
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new TypeError(`${name} takes a whole number, not "${text}".`);
  return Number(text);
}
