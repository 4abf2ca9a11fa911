// Checks what each package publishes: its exports as publint and "are the types wrong" see them, and the file of everything
// that users write, typechecked against the built packages.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const failures = [];
for (const name of readdirSync('packages')) {
  const pkgDir = join('packages', name);
  const { messages, pkg } = await publint({ pkgDir, level: 'warning' });
  failures.push(...messages.map((message) => `${pkg.name}: ${formatMessage(message, pkg)}`));
  run([
    'node_modules/@arethetypeswrong/cli/dist/index.js',
    '--pack',
    pkgDir,
    '--profile',
    'esm-only',
    '--format',
    'ascii',
    '--quiet',
  ]);
}
run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.usage.json']);
for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exit(1);
console.log('The exports of all packages are sound.');

function run(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) failures.push(`${args.join(' ')}\n${stdout}${stderr}`);
}
