import type { Requirement } from './requirement.js';
import type { Scene } from './scene.js';

export type TestBody = (scene: Scene) => Promise<void>;

/** One sentence about the contract, and how to disprove it. */
export interface Case {
  readonly name: string;
  readonly needs: readonly Requirement[];
  readonly body: TestBody;
}
export interface Group {
  readonly name: string;
  readonly cases: readonly Case[];
}

interface GatedBody {
  readonly needs: readonly Requirement[];
  readonly body: TestBody;
}

/** A group of tests: each key is the sentence that the test tries to disprove. */
export function group(name: string, tests: Readonly<Record<string, TestBody | GatedBody>>): Group {
  const cases = Object.entries(tests).map(([sentence, test]) =>
    typeof test === 'function' ? { name: sentence, needs: [], body: test } : { name: sentence, ...test },
  );
  return { name, cases };
}

/** Runs `body` only where every requirement is met; elsewhere the test reports why it was skipped. */
export const needs = (requirements: readonly Requirement[], body: TestBody): GatedBody => ({ needs: requirements, body });
