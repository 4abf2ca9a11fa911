/** One way of signing in that a server offers in `WWW-Authenticate`. */
export interface AuthChallenge {
  /** As written: `Bearer`, `Basic`, `NTLM`, `Negotiate`, `Digest`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The opaque data of NTLM and Negotiate. */
  readonly token?: string;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*/y;
const QUOTED = /"((?:[^"\\]|\\[\s\S])*)"?/y;
const BLANKS = /\s*/y;
const SEPARATORS = /[\s,]*/y;
const MAX_LENGTH = 16_384;

/** Reads `WWW-Authenticate` headers by RFC 9110: several challenges in one header, commas inside quotes. Never fails. */
export function parseChallenges(headers: string | readonly string[] | undefined): readonly AuthChallenge[] {
  if (headers === undefined) return [];
  return [headers].flat().flatMap((header) => new Scanner(header.slice(0, MAX_LENGTH)).challenges());
}

/** Walks over a header once: every step consumes what it has looked at, so that time is linear whatever is in it. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  challenges(): AuthChallenge[] {
    const found: { scheme: string; parameters: Record<string, string>; token?: string }[] = [];
    for (this.#take(SEPARATORS); this.#at < this.#text.length; this.#take(SEPARATORS)) {
      const name = this.#take(TOKEN);
      if (name === '') {
        // Junk; a quoted part of it goes as a whole.
        if (this.#quoted() === undefined) this.#at++;
        continue;
      }
      const blanks = this.#take(BLANKS);
      const current = found.at(-1);
      if (this.#text[this.#at] === '=') {
        const value = this.#value();
        if (current) current.parameters[name.toLowerCase()] = value;
        continue;
      }
      const token = blanks === '' ? undefined : this.#token68();
      found.push({ scheme: name, parameters: Object.create(null), ...(token === undefined ? {} : { token }) });
    }
    return found;
  }

  #value(): string {
    this.#at++;
    this.#take(BLANKS);
    return this.#quoted() ?? this.#take(TOKEN);
  }

  /** The opaque data behind a scheme, if the next thing is that and nothing else up to a comma or the end. */
  #token68(): string | undefined {
    const start = this.#at;
    const token = this.#take(TOKEN68);
    const end = this.#at;
    this.#take(BLANKS);
    const closed = this.#at === this.#text.length || this.#text[this.#at] === ',';
    this.#at = closed ? end : start;
    return closed && token !== '' ? token : undefined;
  }

  #quoted(): string | undefined {
    if (this.#text[this.#at] !== '"') return undefined;
    const whole = this.#take(QUOTED);
    return whole.slice(1, whole.length > 1 && whole.endsWith('"') ? -1 : undefined).replace(/\\([\s\S])/g, '$1');
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += taken.length;
    return taken;
  }
}
