import { text } from 'node:stream/consumers';
import { UsernamePasswordCredentials } from '../credentials/username-password-credentials.js';
import { discover } from '../discovery/discover.js';
import type { DiscoverOptions } from '../discovery/discover-options.js';
import { explainTrace } from '../discovery/explain.js';
import { AutodiscoverError } from '../errors.js';
import { commandAdvice } from './advice.js';
import { type CommandLine, HELP, parseCommandLine } from './command-line.js';
import { report } from './report.js';

export interface Terminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** Exit codes, as documented in `--help`. */
const EXIT_CODES: Readonly<Record<string, number>> = {
  INVALID_ADDRESS: 2,
  AUTH_FAILED: 3,
  REDIRECT_BLOCKED: 4,
  TIMEOUT: 5,
};

/** Runs the command and gives its exit code. `network` is for laboratories. */
export async function run(args: readonly string[], terminal: Terminal, network: DiscoverOptions = {}): Promise<number> {
  let line: CommandLine;
  try {
    line = parseCommandLine(args);
  } catch (error) {
    terminal.writeError(`${error instanceof Error ? error.message : String(error)}\nTry --help.\n`);
    return 2;
  }
  if (line.help) {
    terminal.write(HELP);
    return 0;
  }
  try {
    const result = await discover(line.address, { ...network, ...(await optionsOf(line, terminal)) });
    terminal.write(line.json ? `${JSON.stringify(result, null, 2)}\n` : report(result));
    return 0;
  } catch (error) {
    if (!AutodiscoverError.is(error)) throw error;
    if (line.json) terminal.write(`${JSON.stringify(error, null, 2)}\n`);
    else terminal.writeError(`${explainTrace(error.message, error.code, error.trace, commandAdvice(error, line.user))}\n`);
    return exitCode(error);
  }
}

function exitCode(error: AutodiscoverError): number {
  const wantsCredentials = error.trace.some(({ outcome }) => outcome === 'no-credentials' || outcome === 'scheme-not-offered');
  const known = EXIT_CODES[error.code.replace('TOKENRY_AUTODISCOVER_', '')];
  return known ?? (wantsCredentials ? 3 : 1);
}

async function optionsOf(line: CommandLine, { stdin }: Terminal): Promise<DiscoverOptions> {
  const { user, cache, askMicrosoft, trustedHosts, timeoutMs } = line;
  const common = { askMicrosoft, trustedHosts, timeoutMs, ...(cache ? {} : { cache: false as const }) };
  if (user === undefined) return common;
  // Never from the command line, where every user of the machine could read it.
  const password = (await text(stdin)).replace(/\r?\n$/, '');
  return { ...common, credentials: new UsernamePasswordCredentials(user, password), allowBasic: true };
}
