import type { Settings } from '../options.js';
import type { ClientRegistry } from './client-registry.js';
import type { Directory } from './directory.js';
import type { Faults } from './faults.js';
import type { Mailboxes } from './graph/mailbox.js';
import type { PollTimes } from './poll-times.js';
import type { Recorder } from './recorder.js';
import type { SigningKey } from './signing-key.js';
import type { Store } from './store.js';

/** Everything the endpoints share. */
export interface AuthorityState {
  /** `https://localhost:PORT` */
  readonly origin: string;
  readonly settings: Settings;
  readonly directory: Directory;
  readonly clients: ClientRegistry;
  readonly faults: Faults;
  readonly recorder: Recorder;
  readonly store: Store;
  readonly mailboxes: Mailboxes;
  readonly polls: PollTimes;
  readonly signingKey: Promise<SigningKey>;
  /** Who has consented to what, as `accountId clientId`: asked once, as with Entra ID. */
  readonly consents: Set<string>;
  /** Changed by the caller while the server runs. */
  accessTokenSeconds: number;
}

/** The tenant whose tokens a URL's tenant segment leads to: its own for an id, the authority's for `common` and names. */
export function tenantIdOf(segment: string, state: AuthorityState): string {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(segment) ? segment.toLowerCase() : state.settings.tenantId;
}
