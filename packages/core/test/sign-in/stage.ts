import type { DevAuthorityOptions } from '@tokenry/dev-authority';
import type { ApplicationCredentials } from '../../src/application-credentials.js';
import { type Clock, systemClock } from '../../src/clock.js';
import type { SignInDependencies } from '../../src/sign-in/sign-in-dependencies.js';
import { GRAPH, openStage, type Stage } from '../entra/authority.js';

export const SCOPES = [`${GRAPH}User.Read`, `${GRAPH}Mail.Read`];
export const REQUEST = { scopes: SCOPES, redirectUri: 'http://localhost:8400/signed-in' };

const PUBLIC: ApplicationCredentials = ['public-1'];

export interface SignInStage extends Stage {
  /** Sign-in against the dev authority as an account would set it up. */
  deps(more?: { credentials?: ApplicationCredentials; clock?: Clock; flowKeys?: readonly Uint8Array[] }): SignInDependencies;
}

export async function openSignInStage(options: DevAuthorityOptions = {}): Promise<SignInStage> {
  const stage = await openStage(options);
  const deps: SignInStage['deps'] = ({ credentials = PUBLIC, clock = systemClock, flowKeys } = {}) => ({
    provider: stage.provider(credentials),
    clock,
    contextFor: (scopes, more) => stage.context(scopes, { clock, ...more }),
    ...(flowKeys === undefined ? {} : { flowKeys }),
  });
  return { ...stage, deps, [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose]() };
}

/** A clock whose waits pass at once, and whose time can be moved. */
export function movableClock() {
  let offset = 0;
  const waits: number[] = [];
  const clock: Clock = {
    now: () => Date.now() + offset,
    monotonic: () => performance.now() + offset,
    sleep: async (ms, { signal } = {}) => {
      signal?.throwIfAborted();
      waits.push(ms);
      offset += ms;
    },
  };
  return {
    clock,
    waits,
    advance: (ms: number) => {
      offset += ms;
    },
  };
}

export const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
