/**
 * The fuzz tests at length: 100 000 mutated token files, sign-in flows and redirect URLs each.
 *
 *   node test-e2e/fuzz.ts [rounds]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const rounds = process.argv[2] ?? '100000';
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'packages/core/test/fuzz'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  stdio: 'inherit',
  env: { ...process.env, TOKENRY_FUZZ_ROUNDS: rounds },
});
process.exit(status ?? 1);
