/** More names than any process waits for at once; the bound keeps a crowd of strangers' files from filling memory. */
const MAX_NAMES = 1_000;

/**
 * Tells for how long this process has seen the same claim under a name, on its own monotonic clock: the only clock that is
 * ever asked, because another host's may be wrong. Claims are unique, so two sightings of one prove that it was there
 * all the time between.
 */
export class UnchangedSince {
  readonly #seen = new Map<string, { readonly fingerprint: string; readonly since: number }>();
  readonly #monotonic: () => number;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** Milliseconds since the first sighting of this claim; 0 when it is new. */
  observe(name: string, fingerprint: string): number {
    const now = this.#monotonic();
    const known = this.#seen.get(name);
    if (known?.fingerprint === fingerprint) return now - known.since;
    this.#seen.delete(name);
    this.#seen.set(name, { fingerprint, since: now });
    if (this.#seen.size > MAX_NAMES) this.#seen.delete(this.#seen.keys().next().value ?? name);
    return 0;
  }

  forget(name: string): void {
    this.#seen.delete(name);
  }
}
