#!/usr/bin/env node
import { run } from './cli/run.js';

const terminal = {
  stdin: process.stdin,
  write: (text: string) => void process.stdout.write(text),
  writeError: (text: string) => void process.stderr.write(text),
};
run(process.argv.slice(2), terminal).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    terminal.writeError(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
