import { say } from '../../../../test-support/talk.ts';
import './run-sources.ts';

const { newClaim } = await import('../../src/claim.ts');

/** Says a claim of its own and ends: a dead owner's claim. */
say(newClaim());
