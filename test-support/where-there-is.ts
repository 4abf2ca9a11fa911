import { test } from 'vitest';
import type { NeededServer } from './needed-server.ts';

/** Adds tests that need a server; where it is missing, one skipped test in their place says so. */
export async function whereThereIs(server: NeededServer, addTests: () => void | Promise<void>): Promise<void> {
  if (server.isHere()) await addTests();
  else test.skip(`${server.name} is missing: ${server.howToGet}`, () => undefined);
}
