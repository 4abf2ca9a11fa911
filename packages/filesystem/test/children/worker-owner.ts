import { parentPort } from 'node:worker_threads';
import { newClaim } from '../../dist/claim.js';

/** Says a claim of this thread and stays until terminated. */
parentPort?.postMessage(newClaim());
setInterval(() => undefined, 1_000);
