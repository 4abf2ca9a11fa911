const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 30_000;

/**
 * Claims of this process that it no longer needs but could not remove, because the folder was made read-only or unreachable in
 * between. Their owner is alive, so nobody else may take them: this process tries again until it succeeds. The timers do
 * not keep it alive; when it ends, its claims are a dead owner's.
 */
export class ForsakenClaims {
  readonly #texts = new Set<string>();
  readonly #remove: (path: string, text: string) => Promise<void>;

  /** `remove` removes the claim if it is still there, and fails if it cannot. */
  constructor(remove: (path: string, text: string) => Promise<void>) {
    this.#remove = remove;
  }

  /** Whether this text is a claim that nobody needs any more. */
  has(text: string): boolean {
    return this.#texts.has(text);
  }

  add(path: string, text: string): void {
    this.#texts.add(text);
    this.#retry(path, text, FIRST_RETRY_MS);
  }

  #retry(path: string, text: string, afterMs: number): void {
    const attempt = async () => {
      try {
        await this.#remove(path, text);
        this.#texts.delete(text);
      } catch {
        this.#retry(path, text, Math.min(afterMs * 2, LONGEST_RETRY_MS));
      }
    };
    setTimeout(() => void attempt(), afterMs).unref();
  }
}
