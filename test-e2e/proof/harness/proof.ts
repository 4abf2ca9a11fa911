import type { ProofBackend } from '../backends.ts';

/** How large a proof is run: as the figures ask for, or a shortened form of it. */
export type Size = 'full' | 'short';

export interface ProofSettings {
  readonly backend: ProofBackend;
  readonly size: Size;
  /** Says how far it is. */
  readonly progress: (text: string) => void;
}

export interface ProofResult {
  readonly name: string;
  readonly backend: string;
  readonly size: Size;
  readonly figures: Readonly<Record<string, number | string>>;
  /** What was asked for and not reached, each with what was found. */
  readonly missed: readonly string[];
  /** Why it was not run. */
  readonly skipped?: string;
  readonly details?: readonly string[];
  /** Points for the plot. */
  readonly series?: Readonly<Record<string, readonly number[]>>;
}

export type Proof = (settings: ProofSettings) => Promise<ProofResult>;

/** Collects figures and compares them with what has to be reached. */
export class Findings {
  readonly #name: string;
  readonly #settings: ProofSettings;
  readonly #figures: Record<string, number | string> = {};
  readonly #missed: string[] = [];
  readonly #details: string[] = [];
  readonly #series: Record<string, readonly number[]> = {};

  constructor(name: string, settings: ProofSettings) {
    this.#name = name;
    this.#settings = settings;
  }

  /** A figure that is only told. */
  tell(name: string, value: number | string): this {
    this.#figures[name] = typeof value === 'number' ? round(value) : value;
    return this;
  }

  /** A figure that has to fulfil `reached`. */
  require(name: string, value: number, reached: (value: number) => boolean, asked: string): this {
    this.tell(name, value);
    if (!reached(value)) this.#missed.push(`${name}: ${round(value)}, asked for ${asked}`);
    return this;
  }

  requireEqual(name: string, value: number, asked: number): this {
    return this.require(name, value, (found) => found === asked, String(asked));
  }

  /** Errors that callers met; there must be none. */
  errors(codes: readonly string[]): this {
    if (codes.length > 0) this.detail(`errors: ${[...new Set(codes)].slice(0, 10).join('; ')}`);
    return this.requireEqual('errors', codes.length, 0);
  }

  detail(text: string): this {
    this.#details.push(text);
    return this;
  }

  series(name: string, values: readonly number[]): this {
    this.#series[name] = values;
    return this;
  }

  result(): ProofResult {
    const { backend, size } = this.#settings;
    return {
      name: this.#name,
      backend: backend.name,
      size,
      figures: this.#figures,
      missed: this.#missed,
      ...(this.#details.length > 0 ? { details: this.#details } : {}),
      ...(Object.keys(this.#series).length > 0 ? { series: this.#series } : {}),
    };
  }

  skipped(reason: string): ProofResult {
    return { ...this.result(), skipped: reason };
  }
}

function round(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 1000) / 1000;
}

/** The one line that a proof prints. */
export function lineOf({ name, backend, figures, missed, skipped }: ProofResult): string {
  const told = Object.entries(figures).map(([key, value]) => `${key} ${value}`);
  const verdict = skipped === undefined ? (missed.length === 0 ? 'reached' : 'MISSED ') : 'skipped';
  const text = skipped ?? told.join(', ');
  return `${verdict}  ${name} (${backend}): ${text}${missed.length > 0 ? `\n         missed: ${missed.join('; ')}` : ''}`;
}
