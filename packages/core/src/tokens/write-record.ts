import { type RecordState, SECTION_NAMES, sectionOf } from './record-state.js';
import type { Entity } from './schema.js';
import { seconds } from './token-times.js';

/** The record as msal-node writes it; access tokens that ended before `now` (epoch ms, the server's clock) are left out. */
export function recordText(state: RecordState, now: number | undefined): string {
  const sections = SECTION_NAMES.map((name) => {
    const entities = [...sectionOf(state, name)];
    const kept = name === 'AccessToken' && now !== undefined ? entities.filter(([, token]) => !hasEnded(token, now)) : entities;
    return [name, Object.fromEntries(kept)] as const;
  });
  return JSON.stringify(Object.fromEntries([...sections, ...state.extra]));
}

function hasEnded(token: Entity, now: number): boolean {
  return (seconds(token.expires_on) ?? 0) * 1_000 <= now;
}
