// The long form of the tests that are short in `npm test`: 200 000 fuzzed answers, 50 processes on one cache folder.
//   node packages/autodiscover/scripts/stress.ts [--responses 200000] [--processes 50] [--discoveries 200] [--seed n]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    responses: { type: 'string', default: '200000' },
    processes: { type: 'string', default: '50' },
    discoveries: { type: 'string', default: '200' },
    seed: { type: 'string', default: '20261121' },
  },
});
const root = fileURLToPath(new URL('../../../', import.meta.url));
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    'packages/autodiscover/test/fuzz.test.ts',
    'packages/autodiscover/test/processes.test.ts',
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      TOKENRY_FUZZ_RESPONSES: values.responses,
      TOKENRY_FUZZ_SEED: values.seed,
      TOKENRY_CACHE_PROCESSES: values.processes,
      TOKENRY_CACHE_DISCOVERIES: values.discoveries,
    },
  },
);
process.exitCode = status ?? 1;
