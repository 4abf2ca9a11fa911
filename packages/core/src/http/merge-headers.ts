/**
 * New headers: the caller's, and those of `defaults` that the caller did not set. `Prefer` is a list (RFC 7240), so both
 * stay, the caller's first. Neither argument is changed.
 */
export function mergeHeaders(caller: HeadersInit | undefined, defaults: Readonly<Record<string, string>>): Headers {
  const merged = new Headers(caller);
  for (const [name, value] of Object.entries(defaults)) {
    const own = merged.get(name);
    if (own === null) merged.set(name, value);
    else if (name.toLowerCase() === 'prefer') merged.set(name, `${own}, ${value}`);
  }
  return merged;
}

type HeadersInit = ConstructorParameters<typeof Headers>[0];
