/** How long a version may stay unknown. Its record's bytes stay in memory until then. */
const PATIENCE_MS = 1_000;
/** Between slices of work, which take a millisecond or two. */
const PAUSE_MS = 10;
const SLICE = 100;

/** A version that is worked out when somebody first asks for it: a program that only reads a token never compares one. */
export class LateVersion {
  #work: (() => string) | undefined;
  #version = '';

  constructor(work: () => string) {
    this.#work = work;
  }

  get value(): string {
    if (this.#work) {
      this.#version = this.#work();
      this.#work = undefined;
    }
    return this.#version;
  }

  /**
   * Works it out soon, when nobody waits, so that what it is made of can leave memory. Never keeps the process alive, and
   * does nothing for a record that nobody keeps until then.
   */
  settleSoon(): void {
    if (waiting.length === 0) setTimeout(settleSome, PATIENCE_MS).unref();
    waiting.push(new WeakRef(this));
  }
}

const waiting: WeakRef<LateVersion>[] = [];

/** A few at a time: thousands of records may have been read at once, and others want to run. */
function settleSome(): void {
  for (const version of waiting.splice(0, SLICE)) void version.deref()?.value;
  if (waiting.length > 0) setTimeout(settleSome, PAUSE_MS).unref();
}
