import { invalidArgument } from '../options.js';
import { homeIdOf } from './accounts.js';
import { addAccessToken } from './add-access-token.js';
import { addAccount } from './add-account.js';
import { entityKey } from './entity-keys.js';
import { canonicalEnvironment } from './environments.js';
import { type Identity, identify } from './identity.js';
import { RecordDraft, type RecordState } from './record-state.js';
import type { AccessTokenEntity, AppMetadataEntity, IdTokenEntity, RefreshTokenEntity, TokenEvent } from './schema.js';
import { hasResource, normaliseScopes, resourceOf } from './scope-set.js';
import { readAnswer, type TokenAnswer } from './token-answer.js';

/** Everything about one answer that its entities are made of. */
export interface Issue {
  readonly event: TokenEvent;
  readonly answer: TokenAnswer;
  readonly identity: Identity;
  readonly environment: string;
  readonly clientId: string;
  /** As stored. */
  readonly accessToken: AccessTokenEntity | undefined;
}

/**
 * The state with an answer's tokens in it. An answer without a refresh token keeps the stored one. On-behalf-of answers
 * leave access tokens only: their user did not sign in here.
 */
export function addAnswer(
  state: RecordState,
  event: TokenEvent,
  now: number,
): { readonly state: RecordState; readonly issue: Issue } {
  const { environment, clientId } = event;
  if (!environment) throw invalidArgument('TokenCache.add: environment (host of the authorization server) is missing.');
  if (!clientId) throw invalidArgument('TokenCache.add: clientId is missing.');
  const answer = readAnswer(event, now);
  const identity = identify(state, answer, event);
  const draft = new RecordDraft(state);
  const facts = { event, answer, identity, environment: canonicalEnvironment(environment), clientId };
  const issue: Issue = { ...facts, accessToken: addAccessToken(draft, facts) };
  if (identity.homeAccountId !== null && event.userAssertionHash === undefined) addDelegated(draft, issue);
  return { state: draft.state, issue };
}

function addDelegated(draft: RecordDraft, issue: Issue): void {
  addAccount(draft, issue);
  addIdToken(draft, issue);
  addRefreshToken(draft, issue);
  addAppMetadata(draft, issue);
}

function addIdToken(draft: RecordDraft, { answer, identity, environment, clientId }: Issue): void {
  if (answer.idToken === undefined) return;
  const token: IdTokenEntity = {
    home_account_id: identity.homeAccountId,
    environment,
    credential_type: 'IdToken',
    client_id: clientId,
    secret: answer.idToken,
    realm: identity.realm,
  };
  draft.set('IdToken', entityKey('IdToken', token), token);
}

function addRefreshToken(draft: RecordDraft, { answer, identity, environment, clientId }: Issue): void {
  if (answer.refreshToken === undefined) return;
  const bare: RefreshTokenEntity = {
    home_account_id: identity.homeAccountId,
    environment,
    credential_type: 'RefreshToken',
    client_id: clientId,
    secret: answer.refreshToken,
    ...(answer.familyId === undefined ? {} : { family_id: answer.familyId }),
  };
  const key = entityKey('RefreshToken', bare);
  const previous = draft.state.RefreshToken.get(key);
  if (previous?.secret === answer.refreshToken) return;
  const target = refreshTarget(previous, answer);
  draft.set('RefreshToken', key, { ...previous, ...bare, ...target, last_modification_time: String(answer.cachedAt) });
}

// python-o365 refreshes with these scopes, so they stay with the API they first named.
function refreshTarget(previous: RefreshTokenEntity | undefined, { target }: TokenAnswer): { readonly target?: string } {
  const granted = normaliseScopes(target);
  const [first] = normaliseScopes(previous?.target ?? '');
  if (granted.length === 0) return {};
  const isSameApi = first === undefined || granted.includes(first) || hasResource(granted, resourceOf(first));
  return isSameApi ? { target } : {};
}

function addAppMetadata(draft: RecordDraft, { answer, environment, clientId }: Issue): void {
  if (answer.familyId === undefined) return;
  const app: AppMetadataEntity = { client_id: clientId, environment, family_id: answer.familyId };
  const key = entityKey('AppMetadata', app);
  draft.set('AppMetadata', key, { ...draft.state.AppMetadata.get(key), ...app });
}

/** Whether this answer came of somebody signing in, rather than of a refresh or of the program itself. */
export function isSignIn({ event, identity }: Issue): boolean {
  const { grantType } = event;
  return homeIdOf(identity.homeAccountId) !== '' && event.userAssertionHash === undefined && grantType !== 'refresh_token';
}
