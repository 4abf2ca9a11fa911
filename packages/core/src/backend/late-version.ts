/** How long a version may stay unknown. Its record's bytes stay in memory until then. */
const PATIENCE_MS = 1_000;

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

  /** Works it out soon, when nobody waits, so that what it is made of can leave memory. Never keeps the process alive. */
  settleSoon(): void {
    if (waiting.length === 0) setTimeout(settleAll, PATIENCE_MS).unref();
    waiting.push(this);
  }
}

let waiting: LateVersion[] = [];

function settleAll(): void {
  const due = waiting;
  waiting = [];
  for (const version of due) void version.value;
}
