/** One way of signing in that a server offers in `WWW-Authenticate`. */
export interface AuthChallenge {
  /** As written: `Bearer`, `Basic`, `NTLM`, `Negotiate`, `Digest`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The opaque data of NTLM and Negotiate. */
  readonly token?: string;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`^(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`);
const TOKEN68 = /^([A-Za-z0-9._~+/-]+=*)\s*(?=,|$)/;
const SCHEME = new RegExp(`^(${TOKEN})(?=\\s|,|$)`);
const MAX_LENGTH = 16_384;

/** Reads `WWW-Authenticate` headers by RFC 9110: several challenges in one header, commas inside quotes. Never fails. */
export function parseChallenges(headers: string | readonly string[] | undefined): readonly AuthChallenge[] {
  if (headers === undefined) return [];
  return [headers].flat().flatMap((header) => parseHeader(header.slice(0, MAX_LENGTH)));
}

function parseHeader(header: string): AuthChallenge[] {
  const challenges: { scheme: string; parameters: Record<string, string>; token?: string }[] = [];
  let rest = header;
  const take = (length: number) => {
    rest = rest.slice(length);
  };
  for (;;) {
    rest = rest.replace(/^[\s,]+/, '');
    if (rest === '') return challenges;
    const current = challenges.at(-1);
    const parameter = PARAMETER.exec(rest);
    if (parameter && current) {
      current.parameters[(parameter[1] ?? '').toLowerCase()] = parameter[2]?.replace(/\\(.)/g, '$1') ?? parameter[3] ?? '';
      take(parameter[0].length);
      continue;
    }
    const scheme = SCHEME.exec(rest)?.[1];
    if (scheme === undefined) {
      take(1);
      continue;
    }
    challenges.push({ scheme, parameters: Object.create(null) });
    take(scheme.length);
    const token = TOKEN68.exec(rest.replace(/^\s+/, ''))?.[1];
    if (token !== undefined && /^\s/.test(rest) && !PARAMETER.test(rest.trimStart())) {
      Object.assign(challenges.at(-1) ?? {}, { token });
      take(rest.indexOf(token) + token.length);
    }
  }
}
