import { newClaim } from '../../dist/claim.js';
import { say } from './talk.ts';

/** Says a claim of its own and ends: a dead owner's claim. */
say(newClaim());
