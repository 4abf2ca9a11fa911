import type { Clock } from '@tokenry/core';
import { serverText } from './server-text.js';

/** What a step of a discovery was for. */
export type StepName =
  | 'cache'
  | 'tenant'
  | 'user-realm'
  | 'v2'
  | 'probe'
  | 'soap'
  | 'pox'
  | 'http-redirect'
  | 'srv'
  | 'redirect'
  | 'address';

/** One thing that a discovery did. Holds no credential, and the mailbox's name is left out of `url`. */
export interface TraceStep {
  readonly step: StepName | (string & {});
  readonly url?: string;
  /** A word for machines: `ok`, `not-found`, `refused`, `unreachable`, `blocked`, … */
  readonly outcome: string;
  /** A few words more for people. */
  readonly detail?: string;
  readonly status?: number;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** Collects the steps of one discovery. */
export class Trace {
  readonly #steps: TraceStep[] = [];
  readonly #clock: Clock;
  readonly #mailboxes: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get length(): number {
    return this.#steps.length;
  }
  get steps(): readonly TraceStep[] {
    return [...this.#steps];
  }

  /** The same steps so far; what is added to one is not in the other. */
  copy(): Trace {
    const copy = new Trace(this.#clock);
    copy.#steps.push(...this.#steps);
    copy.#mailboxes.push(...this.#mailboxes);
    return copy;
  }

  /** From now on the part before the `@` is left out wherever it appears in a URL. */
  hideMailbox(localPart: string): void {
    if (localPart) this.#mailboxes.push(localPart);
  }

  /** Starts measuring a step; the returned function ends it. */
  start(
    step: StepName,
    url?: URL | string,
  ): (outcome: string, more?: { detail?: string | undefined; status?: number | undefined }) => void {
    const startedAt = this.#clock.monotonic();
    return (outcome, { detail, status } = {}) => {
      this.#steps.push({
        step,
        ...(url === undefined ? {} : { url: this.#shown(url) }),
        outcome,
        ...(detail ? { detail: this.#clean(detail) } : {}),
        ...(status === undefined ? {} : { status }),
        ms: Math.max(0, Math.round(this.#clock.monotonic() - startedAt)),
      });
    };
  }

  #shown(url: URL | string): string {
    const text = typeof url === 'string' ? url : url.href;
    return this.#clean(text.replace(/^(\w+:\/\/)[^/?#]*@/, '$1'));
  }

  /** Servers write what they like: nothing of the mailbox, nothing that must not be read. */
  #clean(text: string): string {
    let clean = text.slice(0, 5000);
    for (const name of this.#mailboxes)
      for (const form of new Set([`${name}@`, `${encodeURIComponent(name)}%40`, `${encodeURIComponent(name)}@`]))
        clean = clean.replaceAll(form, form.endsWith('@') ? '…@' : '…%40');
    return serverText(clean);
  }
}
