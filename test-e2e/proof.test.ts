import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { proofs } from './proof/proofs.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('./proof/run.ts', import.meta.url));

/** Each proof runs on the build, in processes of its own, as `npm run proof -- --short` runs it. */
async function prove(name: string, backend: string): Promise<string> {
  const { stdout } = await run(process.execPath, [script, '--short', '--details', '--exact', name, '--backend', backend]).catch(
    (error: { readonly stdout?: string; readonly stderr?: string }) => ({ stdout: `${error.stdout ?? ''}${error.stderr ?? ''}` }),
  );
  return stdout;
}

describe.each(['filesystem', 'memory'])('on the backend "%s"', (backend) => {
  test.each(Object.keys(proofs))('the proof "%s" reaches its figures in its short form', { timeout: 300_000 }, async (name) => {
    expect(await prove(name, backend)).toMatch(/^(reached|skipped) /);
  });
});
