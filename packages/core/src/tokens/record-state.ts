import type { Entity, SectionEntities, SectionName } from './schema.js';

/** In the order in which msal-node writes them. */
export const SECTION_NAMES: readonly SectionName[] = ['Account', 'IdToken', 'AccessToken', 'RefreshToken', 'AppMetadata'];

/** The content of a record: immutable, so that clones, slices and bases share it. */
export type RecordState = {
  readonly [Name in SectionName]: ReadonlyMap<string, SectionEntities[Name]>;
} & {
  /** Root members of the JSON text that are no section of the schema, as they were. */
  readonly extra: ReadonlyMap<string, unknown>;
};

const NOTHING: ReadonlyMap<string, never> = new Map<string, never>();

/** A record with nothing in it. */
export const EMPTY_STATE: RecordState = Object.freeze({
  Account: NOTHING,
  IdToken: NOTHING,
  AccessToken: NOTHING,
  RefreshToken: NOTHING,
  AppMetadata: NOTHING,
  extra: NOTHING,
});

/** A section without its entity type, for code that treats all sections alike. */
export function sectionOf(state: RecordState, name: SectionName): ReadonlyMap<string, Entity> {
  return state[name];
}

/** Collects changes to a state; a section is copied when it is first written to. */
export class RecordDraft {
  #state: RecordState;
  readonly #copied = new Set<string>();

  constructor(state: RecordState) {
    this.#state = state;
  }

  /** The state with all changes so far. */
  get state(): RecordState {
    return this.#state;
  }

  set<Name extends SectionName>(name: Name, key: string, entity: SectionEntities[Name]): void {
    if (this.#state[name].get(key) !== entity) this.#writable(name).set(key, Object.freeze(entity));
  }

  delete(name: SectionName, key: string): void {
    if (this.#state[name].has(key)) this.#writable(name).delete(key);
  }

  setExtra(key: string, value: unknown): void {
    this.#writable('extra').set(key, value);
  }

  deleteExtra(key: string): void {
    if (this.#state.extra.has(key)) this.#writable('extra').delete(key);
  }

  #writable(name: SectionName | 'extra'): Map<string, unknown> {
    if (!this.#copied.has(name)) {
      this.#copied.add(name);
      this.#state = { ...this.#state, [name]: new Map<string, unknown>(this.#state[name]) };
    }
    return this.#state[name] as Map<string, unknown>;
  }
}
