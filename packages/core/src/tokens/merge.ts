import { isOlder } from './access-token-match.js';
import { type ThreeStates, type Verdict, verdicts } from './account-verdict.js';
import { type HomeId, homeIdOf } from './accounts.js';
import { mergeJson, mergeMembers, mergeVersions, type Side, type Versions } from './merge-json.js';
import { EMPTY_STATE, RecordDraft, type RecordState, SECTION_NAMES, sectionOf } from './record-state.js';
import { sameJson } from './same-json.js';
import type { AccessTokenEntity, CredentialEntity, Entity, RefreshTokenEntity, SectionName } from './schema.js';
import { TokenCache } from './token-cache.js';

/**
 * Three-way merge of a record: `base` is what `mine` was read as (`undefined`: never loaded, so it adds and replaces but
 * removes nothing), `theirs` what the store holds now. The result's base is `theirs`, so `hasStateChanged` tells whether
 * there is anything to write.
 *
 * A removed account stays removed unless somebody signed it in meanwhile. Where both sides have another refresh token
 * than the base, the one of the later sign-in stays, and without a sign-in the stored one: times say nothing, because
 * msal-node writes none and a token can only descend from the one that was spent for it. Access tokens follow.
 */
export function mergeTokenCaches(base: TokenCache | undefined, mine: TokenCache, theirs: TokenCache): TokenCache {
  if (base && base.state === theirs.state) return TokenCache.fromState(mine.state, theirs.state);
  const merge = new Merge({ base: base?.state, mine: mine.state, theirs: theirs.state });
  return TokenCache.fromState(merge.result(), theirs.state);
}

class Merge {
  readonly #states: ThreeStates;
  readonly #verdicts: Map<HomeId, Verdict>;
  readonly #draft: RecordDraft;
  /** Account and client whose refresh tokens parted: the side that all its tokens come from. */
  readonly #followed = new Map<string, Side>();

  constructor(states: ThreeStates) {
    this.#states = states;
    this.#verdicts = verdicts(states);
    this.#draft = new RecordDraft(states.theirs);
  }

  result(): RecordState {
    this.#section('RefreshToken');
    for (const name of SECTION_NAMES) if (name !== 'RefreshToken') this.#section(name);
    this.#extra();
    return this.#draft.state;
  }

  #section(name: SectionName): void {
    const { base = EMPTY_STATE, mine, theirs } = this.#states;
    const sections = [sectionOf(base, name), sectionOf(mine, name), sectionOf(theirs, name)] as const;
    if (sections[1] === sections[2] && !this.#hasRemovals()) return;
    for (const key of new Set([...sections[2].keys(), ...sections[1].keys()])) {
      const [inBase, inMine, inTheirs] = sections.map((section) => section.get(key));
      const merged = this.#entity(name, { base: inBase, mine: inMine, theirs: inTheirs });
      if (merged === undefined) this.#draft.delete(name, key);
      else if (merged !== inTheirs) this.#draft.set(name, key, merged as never);
    }
  }

  #hasRemovals(): boolean {
    return [...this.#verdicts.values()].some(({ gone, only }) => gone || only);
  }

  #entity(name: SectionName, versions: Versions<Entity>): Entity | undefined {
    if (name === 'AppMetadata')
      return mergeVersions(versions, (mine, theirs) => mergeMembers({ base: versions.base, mine, theirs }, 'mine'));
    const verdict = this.#verdicts.get(homeOf(versions)) ?? {};
    if (verdict.gone) return undefined;
    if (verdict.only) return changed(versions, verdict.only);
    const winner = verdict.signedIn;
    if (name === 'Account')
      return mergeVersions(versions, (mine, theirs) => mergeMembers({ base: versions.base, mine, theirs }, winner ?? 'theirs'));
    if (name === 'RefreshToken') return this.#refreshToken(versions as Versions<RefreshTokenEntity>, winner ?? 'theirs');
    return this.#follower(versions as Versions<AccessTokenEntity>, winner);
  }

  #refreshToken(versions: Versions<RefreshTokenEntity>, winner: Side): RefreshTokenEntity | undefined {
    return mergeVersions(versions, (mine, theirs) => {
      if (mine.secret === theirs.secret) return mergeMembers({ base: versions.base, mine, theirs }, winner);
      this.#followed.set(familyKey(mine), winner);
      this.#followed.set(familyKey(theirs), winner);
      return winner === 'mine' ? mine : theirs;
    });
  }

  #follower(versions: Versions<AccessTokenEntity>, winner: Side | undefined): AccessTokenEntity | undefined {
    const { mine, theirs } = versions;
    const leader = this.#followed.get(familyKey(mine ?? theirs));
    if (leader) return versions[leader];
    return mergeVersions(versions, (a, b) => (winner ? (winner === 'mine' ? a : b) : isOlder(b, a) ? a : b));
  }

  #extra(): void {
    const { base = EMPTY_STATE, mine, theirs } = this.#states;
    if (mine.extra === theirs.extra) return;
    for (const key of new Set([...theirs.extra.keys(), ...mine.extra.keys()])) {
      const versions = { base: base.extra.get(key), mine: mine.extra.get(key), theirs: theirs.extra.get(key) };
      const merged = mergeJson(versions, 'mine');
      if (merged === undefined) this.#draft.deleteExtra(key);
      else if (merged !== versions.theirs) this.#draft.setExtra(key, merged);
    }
  }
}

function homeOf({ mine, theirs }: Versions<Entity>): HomeId {
  return homeIdOf((mine ?? theirs)?.home_account_id as string | undefined);
}

function familyKey(token: CredentialEntity | undefined): string {
  return `${homeIdOf(token?.home_account_id)}|${token?.environment}|${token?.client_id.toLowerCase()}`;
}

function changed(versions: Versions<Entity>, side: Side): Entity | undefined {
  return sameJson(versions[side], versions.base) ? undefined : versions[side];
}
