#!/usr/bin/env node
import { writeFile } from 'node:fs/promises';
import { type CliRequest, HELP, parseCommandLine } from './cli-options.js';
import { type DevAuthority, startDevAuthority } from './dev-authority.js';

function describe({ url, accountOptions: { tenantId, ca } }: DevAuthority, { printCa, caFile }: CliRequest): string {
  const trust = caFile === undefined ? 'start with --ca or --ca-file to get it' : caFile;
  return [
    'The dev authority is running. Ctrl-C stops it.',
    '',
    `  Home page   ${url}/`,
    `  Authority   ${url}/${tenantId}`,
    `  Graph       ${url}/v1.0/me`,
    `  CA          ${trust}`,
    ...(printCa ? ['', ca] : []),
    '',
  ].join('\n');
}

async function run(request: CliRequest): Promise<void> {
  const authority = await startDevAuthority(request.options);
  authority.ref();
  const { caFile, json } = request;
  if (caFile !== undefined) await writeFile(caFile, authority.accountOptions.ca);
  const text = json ? `${JSON.stringify({ url: authority.url, ...authority.accountOptions })}\n` : describe(authority, request);
  process.stdout.write(text);
  const stop = () => void authority.close();
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

try {
  const request = parseCommandLine(process.argv.slice(2));
  if (request.help) process.stdout.write(HELP);
  else await run(request);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nTry --help.\n`);
  process.exitCode = 1;
}
