import type { MsalTokenCache } from './msal-types.js';
import { RejectedTokens } from './rejected-tokens.js';
import { SpentTokens } from './spent-tokens.js';
import { Turns } from './turns.js';

/** What belongs to one msal-node application, whichever plugins it is given. */
export interface Application {
  readonly turns: Turns;
  readonly rejected: RejectedTokens;
  readonly spent: SpentTokens;
}

const applications = new WeakMap<MsalTokenCache, Application>();

export function applicationOf(tokenCache: MsalTokenCache): Application {
  const known = applications.get(tokenCache);
  if (known) return known;
  const application = { turns: new Turns(), rejected: new RejectedTokens(tokenCache), spent: new SpentTokens(tokenCache) };
  applications.set(tokenCache, application);
  return application;
}
