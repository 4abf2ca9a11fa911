import { redact } from '../observability/redact.js';

const BRAND = Symbol.for('tokenry.error');
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

export interface TokenryErrorOptions {
  readonly cause?: unknown;
}

/** Parent of all errors of this family. */
export abstract class TokenryError extends Error {
  static readonly brand: string = 'TokenryError';
  abstract readonly code: `TOKENRY_${string}`;
  /** Whether the same call can succeed later without anyone changing anything. */
  readonly retryable: boolean = false;

  constructor(message: string, options: TokenryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    Object.defineProperty(this, 'name', { value: new.target.brand, configurable: true, writable: true });
    Object.defineProperty(this, BRAND, { value: brandsOf(new.target) });
  }

  /** True for an error of this class or a subclass, also one thrown by another installed copy of this package. */
  static is<T extends TokenryError>(
    this: (abstract new (...args: never[]) => T) & { readonly brand: string },
    error: unknown,
  ): error is T {
    if (typeof error !== 'object' || error === null) return false;
    const brands = (error as Record<symbol, unknown>)[BRAND];
    // biome-ignore lint/complexity/noThisInStatic: a subclass asks for its own brand
    return Array.isArray(brands) && brands.includes(this.brand);
  }

  /** Own fields. The cause is left out: its author may not be as careful with secrets. */
  toJSON(): Record<string, unknown> {
    const fields: Record<string, unknown> = { name: this.name, code: this.code, message: this.message };
    for (const [key, value] of Object.entries(this)) if (key !== 'cause' && value !== undefined) fields[key] = value;
    return fields;
  }

  [INSPECT](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    const { name: _name, message: _message, ...fields } = this.toJSON();
    const cause = this.cause === undefined ? '' : `\n  [cause]: ${redact(describeCause(this.cause))}`;
    return `${this.stack ?? `${this.name}: ${this.message}`} ${inspect(fields, options)}${cause}`;
  }
}

function brandsOf(family: { readonly brand: string }): readonly string[] {
  const brands: string[] = [];
  for (let at: unknown = family; typeof at === 'function' && 'brand' in at; at = Object.getPrototypeOf(at))
    brands.push(String(at.brand));
  return brands;
}

function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = 'code' in cause ? ` (${String(cause.code)})` : '';
  return `${cause.name}: ${cause.message}${code}`;
}
