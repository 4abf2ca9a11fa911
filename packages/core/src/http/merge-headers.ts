import { withoutValues } from './network-errors.js';

/**
 * New headers: the caller's, and those of `defaults` that the caller did not set. `Prefer` is a list (RFC 7240), so both
 * stay, the caller's first. Neither argument is changed.
 * @throws TypeError for a name or value that no header can carry, without quoting it, where the platform would.
 */
export function mergeHeaders(caller: HeadersInit | undefined, defaults: Readonly<Record<string, string>>): Headers {
  try {
    return merged(caller, defaults);
  } catch (error) {
    throw withoutValues(error);
  }
}

function merged(caller: HeadersInit | undefined, defaults: Readonly<Record<string, string>>): Headers {
  const headers = new Headers(caller);
  for (const [name, value] of Object.entries(defaults)) {
    const own = headers.get(name);
    if (own === null) headers.set(name, value);
    else if (name.toLowerCase() === 'prefer') headers.set(name, `${own}, ${value}`);
  }
  return headers;
}

type HeadersInit = ConstructorParameters<typeof Headers>[0];
