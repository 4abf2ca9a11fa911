import type { RedirectKind } from '../trust/trust-policy.js';
import type { Session } from './session.js';

const MAX_REDIRECTS = 10;

export type Followed =
  | { readonly kind: 'go'; readonly url: URL }
  | { readonly kind: 'stop'; readonly reason: 'blocked' | 'too-many-redirects' | 'nothing' };

/** Decides about every hop of a discovery to another URL: resolves, counts, remembers and asks the policy. */
export class Redirects {
  readonly #session: Session;
  readonly #visited = new Set<string>();
  #count = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Whether `url` is new for this mailbox address; from now on it is not. Servers ignore case, so does this. */
  firstVisit(url: URL, addressKey: string): boolean {
    const key = `${addressKey} ${url.href.toLowerCase()}`;
    if (this.#visited.has(key)) return false;
    this.#visited.add(key);
    return true;
  }

  /** Where a redirect leads, if it may be followed. `location` may be relative to `from`. */
  async follow(location: string | undefined, from: URL, kind: RedirectKind): Promise<Followed> {
    const to =
      location === undefined || location.length > 4096 || !URL.canParse(location, from) ? undefined : new URL(location, from);
    const end = this.#session.trace.start('redirect', to ?? from);
    if (!to) return this.#stop(end, 'nothing', 'not-found', 'the target is not a URL');
    to.hash = '';
    if (++this.#count > MAX_REDIRECTS)
      return this.#stop(end, 'too-many-redirects', 'too-many-redirects', `more than ${MAX_REDIRECTS}`);
    const verdict = await this.#session.policy.check(to, from.href, kind);
    if (!verdict.allowed) return this.#stop(end, 'blocked', 'blocked', verdict.why);
    end('ok', { detail: verdict.tier });
    return { kind: 'go', url: to };
  }

  #stop(
    end: (outcome: string, more: { detail: string }) => void,
    reason: 'blocked' | 'too-many-redirects' | 'nothing',
    outcome: string,
    detail: string,
  ): Followed {
    end(outcome, { detail });
    return { kind: 'stop', reason };
  }
}

/** Statuses that send a request elsewhere. None repeats a body or a credential by itself. */
export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}
