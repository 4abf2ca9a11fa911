import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Tests run on the sources; child processes and packed tarballs run on the build. */
const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const packages = readdirSync(source('./packages')).map((name) => ({
  find: new RegExp(`^@tokenry/${name}$`),
  replacement: source(`./packages/${name}/src/index.ts`),
}));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@tokenry\/core\/(backend|tokens|http)$/, replacement: source('./packages/core/src/exports/$1.ts') },
      ...packages,
    ],
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test-e2e/**/*.test.ts', 'examples/**/*.test.ts'],
    setupFiles: ['./vitest.setup.ts'],
    // A gate's machine is shared: what passes at a second try there is reported as flaky, not as broken.
    retry: process.env.CI ? 2 : 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
