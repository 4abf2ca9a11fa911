import { createHash } from 'node:crypto';
import type { DevUser } from '../options.js';

/** A user with every id filled in. */
export interface Person {
  /** `sub` of tokens and the authorization server's own key: deliberately not the object id. */
  readonly accountId: string;
  readonly username: string;
  readonly name: string;
  readonly password: string | undefined;
  /** Object id in the authority's tenant. */
  readonly oid: string;
  readonly homeOid: string;
  readonly homeTenantId: string;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest();

/** A UUID that is the same for the same text in every run, so that stored caches stay meaningful. */
export function stableUuid(text: string): string {
  const hex = sha256(text).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const MAX_PEOPLE = 200_000;

/** Everybody who has an account. Unknown user names become people of the tenant when they are asked for. */
export class Directory {
  readonly #tenantId: string;
  readonly #byUsername = new Map<string, Person>();
  readonly #byAccountId = new Map<string, Person>();

  constructor(tenantId: string, users: readonly DevUser[]) {
    this.#tenantId = tenantId;
    for (const user of users) this.add(user);
  }

  add(user: DevUser): Person {
    const oid = user.oid ?? stableUuid(`${this.#tenantId}/${user.username.toLowerCase()}`);
    const homeOid = user.guest ? (user.guest.homeOid ?? stableUuid(`home/${user.username.toLowerCase()}`)) : oid;
    const person: Person = {
      accountId: sha256(`sub/${homeOid}`).toString('base64url'),
      username: user.username,
      name: user.name ?? nameFrom(user.username),
      password: user.password,
      oid,
      homeOid,
      homeTenantId: user.guest?.homeTenantId ?? this.#tenantId,
    };
    this.#byUsername.set(user.username.toLowerCase(), person);
    this.#byAccountId.set(person.accountId, person);
    return person;
  }

  /** Somebody who is in the directory already, by user name or object id. */
  find(name: string): Person | undefined {
    const wanted = name.toLowerCase();
    return this.#byUsername.get(wanted) ?? [...this.#byUsername.values()].find(({ oid }) => oid === wanted);
  }

  /** @throws RangeError for something that is no user name, or when the directory is full */
  byUsername(username: string): Person {
    const known = this.#byUsername.get(username.toLowerCase());
    if (known) return known;
    if (!/^[^\s@<>"]+@[^\s@<>"]+$/.test(username)) throw new RangeError('A user name looks like ada@contoso.example.');
    if (this.#byUsername.size >= MAX_PEOPLE) throw new RangeError('The directory is full.');
    return this.add({ username });
  }

  byAccountId(accountId: string): Person | undefined {
    return this.#byAccountId.get(accountId);
  }

  /** `oid` and `tid` as a tenant sees this person: only the home tenant and the authority's know their own ids. */
  identityIn(tenantId: string, person: Person): { readonly oid: string; readonly tid: string } {
    if (tenantId === this.#tenantId) return { oid: person.oid, tid: tenantId };
    if (tenantId === person.homeTenantId) return { oid: person.homeOid, tid: tenantId };
    return { oid: stableUuid(`${tenantId}/${person.username.toLowerCase()}`), tid: tenantId };
  }

  /** The first people, for the sign-in page and `/users`. */
  list(limit = 50): readonly Person[] {
    return [...this.#byUsername.values()].slice(0, limit);
  }
}

function nameFrom(username: string): string {
  const local = username.split('@')[0] ?? username;
  return local.slice(0, 1).toUpperCase() + local.slice(1);
}
