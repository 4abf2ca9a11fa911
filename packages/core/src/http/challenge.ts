/**
 * The claims that an API demands in its `WWW-Authenticate` header (RFC 9110, 11.6.1; Microsoft Entra "claims challenge"), as
 * JSON for the token endpoint. `undefined` where it names none, or something that is not a JSON object.
 */
export function claimsChallenge(header: string | null): string | undefined {
  const claims = header === null ? undefined : bearerParameters(header).get('claims');
  if (claims === undefined) return undefined;
  return jsonObject(claims) ?? jsonObject(Buffer.from(claims, 'base64').toString('utf8'));
}

/** Parameters of the Bearer challenge; a header may hold challenges of several schemes. */
function bearerParameters(header: string): Map<string, string> {
  const parameters = new Map<string, string>();
  let scheme = '';
  // Either `name = value`, value a token or a quoted string, or a word alone: the next scheme.
  const piece = /([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([\w!#$%&'*+.^`|~-]+)(?=\s|,|$)/gs;
  for (const [, name, quoted, plain, word] of header.matchAll(piece)) {
    if (word !== undefined) scheme = word.toLowerCase();
    else if (name !== undefined && scheme === 'bearer')
      parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/gs, '$1') ?? plain ?? '');
  }
  return parameters;
}

function jsonObject(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? JSON.stringify(value) : undefined;
  } catch {
    return undefined;
  }
}
