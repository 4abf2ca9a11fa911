import { LISTS } from './record-check.js';
import { type RecordState, SECTION_NAMES, sectionOf } from './record-state.js';
import type { AccessTokenEntity, Entity } from './schema.js';
import { seconds } from './token-times.js';

/** The record as msal-node writes it. */
export function recordText(state: RecordState): string {
  const root: Record<string, unknown> = {};
  for (const name of SECTION_NAMES) {
    const members: Record<string, Entity> = {};
    for (const [key, entity] of sectionOf(state, name)) members[key] = thawed(entity);
    root[name] = members;
  }
  for (const [name, value] of state.extra) root[name] = value;
  return JSON.stringify(root);
}

/** A copy that is not frozen, nor are its lists: for one frozen object the engine writes a whole record the slow way. */
function thawed(entity: Entity): Entity {
  const copy: Record<string, unknown> = { ...entity };
  for (const field of LISTS) if (Array.isArray(copy[field])) copy[field] = [...copy[field]];
  return copy as Entity;
}

/** The record without access tokens that ended before `now` (epoch ms, the server's clock). */
export function withoutEnded(state: RecordState, now: number): RecordState {
  const lasting = [...state.AccessToken].filter(([, token]) => !hasEnded(token, now));
  return lasting.length === state.AccessToken.size ? state : { ...state, AccessToken: new Map(lasting) };
}

function hasEnded(token: AccessTokenEntity, now: number): boolean {
  return (seconds(token.expires_on) ?? 0) * 1_000 <= now;
}
