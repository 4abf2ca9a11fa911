import { parentPort } from 'node:worker_threads';
import './run-sources.ts';

const { newClaim } = await import('../../src/claim.ts');

/** Says a claim of this thread and stays until terminated. */
parentPort?.postMessage(newClaim());
setInterval(() => undefined, 1_000);
