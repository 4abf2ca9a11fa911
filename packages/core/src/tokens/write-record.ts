import { type RecordState, SECTION_NAMES, sectionOf } from './record-state.js';
import type { AccessTokenEntity } from './schema.js';
import { seconds } from './token-times.js';

/**
 * The record as msal-node writes it. Put together entity by entity, each thawed by copying it: the engine writes frozen
 * objects several times slower.
 */
export function recordText(state: RecordState): string {
  const members: string[] = [];
  for (const name of SECTION_NAMES) {
    const entities: string[] = [];
    for (const [key, entity] of sectionOf(state, name)) entities.push(`${JSON.stringify(key)}:${JSON.stringify({ ...entity })}`);
    members.push(`"${name}":{${entities.join(',')}}`);
  }
  for (const [name, value] of state.extra) members.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `{${members.join(',')}}`;
}

/** The record without access tokens that ended before `now` (epoch ms, the server's clock). */
export function withoutEnded(state: RecordState, now: number): RecordState {
  const lasting = [...state.AccessToken].filter(([, token]) => !hasEnded(token, now));
  return lasting.length === state.AccessToken.size ? state : { ...state, AccessToken: new Map(lasting) };
}

function hasEnded(token: AccessTokenEntity, now: number): boolean {
  return (seconds(token.expires_on) ?? 0) * 1_000 <= now;
}
