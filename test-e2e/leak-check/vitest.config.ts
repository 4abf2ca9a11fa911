import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Runs the tests that must fail: see ../leak-check.test.ts. */
export default defineConfig({
  root: here('.'),
  test: { include: ['leaking.ts'], setupFiles: [here('../../vitest.setup.ts')] },
});
