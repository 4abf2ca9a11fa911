/** Which tests must catch a defect, and in which groups it may show besides. */
export interface Verdict {
  /** Each of these must fail, as `group: name`. */
  readonly caughtBy: readonly string[];
  /** Every test outside these groups must pass: the kit points at the defect, and at nothing else. */
  readonly alsoIn: readonly string[];
}

const LOST_UPDATES = [
  'concurrent compare-and-swap: of many simultaneous creations exactly one succeeds',
  'concurrent compare-and-swap: of many simultaneous replacements of one version exactly one succeeds',
  'concurrent compare-and-swap: parallel increments of one counter lose none',
  'concurrent compare-and-swap: accounts added in parallel to one record are all kept',
  'concurrent compare-and-swap: token caches saved in parallel to one record are merged',
];
const LATE_WRITES = [
  'removal: a late conditional write does not bring a removed record back',
  'removal: a late save of a cache loaded before the deletion does not bring its accounts back',
];
const NO_ENCRYPTION = [
  'encryption: neither a secret nor JSON is visible at rest',
  'encryption: a record sealed with an unknown key is an error, not absence',
  'encryption: a record sealed with another key of the same name is an error',
  'encryption: a record whose bytes were changed does not open',
  'encryption: a record copied to another key does not open',
  'encryption: a plaintext record is refused',
  'encryption: a record that does not open is left as it is',
];

/** By defect, as the broken backends name them. */
export const verdicts: Readonly<Record<string, Verdict>> = {
  'ignores what a write expects': {
    caughtBy: [
      'records: a write that expects absence is refused over a record and writes nothing',
      'records: a write that expects an old version is refused and writes nothing',
      ...LOST_UPDATES,
      ...LATE_WRITES,
    ],
    alsoIn: ['records', 'leases'],
  },
  'compares, and writes a moment later': { caughtBy: LOST_UPDATES, alsoIn: ['leases'] },
  'writes in two halves': {
    caughtBy: ['concurrent compare-and-swap: a reader never sees a torn or missing record while it is replaced'],
    alsoIn: ['concurrent compare-and-swap', 'cancellation'],
  },
  'removes a record before it writes it': {
    caughtBy: [
      'concurrent compare-and-swap: a reader never sees a torn or missing record while it is replaced',
      'concurrent compare-and-swap: parallel increments of one counter lose none',
    ],
    alsoIn: ['concurrent compare-and-swap', 'cancellation', 'leases'],
  },
  'lets a late write bring a removed record back': {
    caughtBy: ['records: a write that expects a version of an absent record is refused and writes nothing', ...LATE_WRITES],
    alsoIn: [],
  },
  'keeps half of an aborted write': {
    caughtBy: ['cancellation: a write that is aborted under way writes all or nothing'],
    alsoIn: ['cancellation'],
  },
  "keeps the caller's buffer": { caughtBy: ['records: the caller may reuse its buffer after a write'], alsoIn: [] },
  'cuts large records': { caughtBy: ['sizes: a record of 400 KB reads back'], alsoIn: [] },
  'stores text in a smaller alphabet': {
    caughtBy: ['records: a record reads back byte for byte'],
    alsoIn: ['records', 'token keys'],
  },
  'takes the size of a record for its version': {
    caughtBy: [
      'records: the version changes whenever the bytes change',
      'records: a write that expects an old version is refused and writes nothing',
      'concurrent compare-and-swap: parallel increments of one counter lose none',
      'removal: a removal that expects an old version is refused and removes nothing',
    ],
    alsoIn: ['records', 'leases', 'encryption'],
  },
  'reads versions that its writes do not report': {
    caughtBy: ['records: a write resolves to the version that the next read reports'],
    alsoIn: ['records', 'concurrent compare-and-swap', 'removal', 'leases', 'encryption', 'lifecycle'],
  },
  'answers an outage as absence': { caughtBy: ['errors: an unreachable store is never answered as absence'], alsoIn: [] },
  'answers a denial as an outage': { caughtBy: ['errors: a store that denies access is never answered as absence'], alsoIn: [] },
  'answers a corrupt record as absence': {
    caughtBy: [
      'errors: a corrupt record is never answered as absence',
      'errors: a corrupt record is not overwritten by an update',
    ],
    alsoIn: [],
  },
  'returns the record it remembers after somebody removed it': {
    caughtBy: [
      'removal: a removed record is absent',
      'lifecycle: a record that another instance removed is never served as fresh',
    ],
    alsoIn: ['removal', 'lifecycle', 'token keys'],
  },
  'remembers its first failure': {
    caughtBy: ['errors: a store works again after it was unreachable', 'errors: a store works again after it denied access'],
    alsoIn: ['errors'],
  },
  'lists only the first page': { caughtBy: ['listing: 300 records are listed completely, each once'], alsoIn: ['token keys'] },
  'removes everything that begins with the name': {
    caughtBy: ['removal: removing one record leaves the others'],
    alsoIn: ['token keys'],
  },
  'calls it a conflict that a record is gone already': {
    caughtBy: ['removal: a removal that expects a version of an absent record removes nothing'],
    alsoIn: ['removal'],
  },
  'always claims to have removed a record': {
    caughtBy: [
      'removal: removing answers whether a record was there',
      'removal: a deleted token loads as undefined and no longer checks',
    ],
    alsoIn: ['removal'],
  },
  'folds keys by case': {
    caughtBy: [
      'token keys: keys that differ only in case are different records',
      'listing: the keys of all records are listed exactly as they were given',
    ],
    alsoIn: ['token keys'],
  },
  'replaces slashes in keys': { caughtBy: ['token keys: slashes neither escape nor collide'], alsoIn: ['token keys', 'listing'] },
  'takes keys for paths': { caughtBy: ['token keys: dots and parent folders are names like any other'], alsoIn: ['token keys'] },
  'normalises keys': { caughtBy: ['token keys: composed and decomposed forms are different records'], alsoIn: ['token keys'] },
  'trims keys': { caughtBy: ['token keys: trailing dots and spaces are part of the key'], alsoIn: ['token keys'] },
  'cuts long keys': { caughtBy: ['token keys: a key of 257 bytes is refused'], alsoIn: [] },
  'repairs lone surrogates': { caughtBy: ['token keys: a lone surrogate is refused'], alsoIn: [] },
  'decodes percent signs in keys': {
    caughtBy: ['token keys: a key equal to the encoded form of another is another record'],
    alsoIn: ['token keys', 'listing'],
  },
  'hears no signal': {
    caughtBy: [
      'cancellation: an aborted signal ends every operation with its reason',
      'cancellation: an operation that was aborted beforehand changes nothing',
      'cancellation: an aborted request takes no lease',
    ],
    alsoIn: [],
  },
  'forgets to encrypt': { caughtBy: NO_ENCRYPTION, alsoIn: [] },
  'takes base64 for encryption': { caughtBy: NO_ENCRYPTION, alsoIn: [] },
  'binds no ciphertext to its record': { caughtBy: ['encryption: a record copied to another key does not open'], alsoIn: [] },
  'releases the leases of strangers': { caughtBy: ['leases: releasing never frees the lease of a stranger'], alsoIn: ['leases'] },
  'renews the leases of strangers': { caughtBy: ['leases: only the owner can renew a lease'], alsoIn: ['leases'] },
  'lets two contenders take over one abandoned lease': {
    caughtBy: ['leases: an abandoned lease is never held twice by those who compete for it'],
    alsoIn: [],
  },
  'never frees an abandoned lease': {
    caughtBy: ['leases: an abandoned lease is taken over by a contender, and its old owner notices'],
    alsoIn: ['leases'],
  },
  'lets a renewed lease expire': { caughtBy: ['leases: a renewed lease is kept beyond its time to live'], alsoIn: ['leases'] },
  'lets a renewed lease expire while nobody looks': {
    caughtBy: ['leases: a renewed lease is kept beyond its time to live'],
    alsoIn: ['leases'],
  },
  'does not say who holds a lease': { caughtBy: ['leases: a refused contender learns who holds the lease'], alsoIn: [] },
  'grants leases while its store is down': {
    caughtBy: ['errors: a lease that is granted in an outage is really held'],
    alsoIn: [],
  },
  'claims leases that hold in one instance only': {
    caughtBy: [
      'leases: a lease has one owner at a time',
      'leases: of many simultaneous requests for a free lease one is granted',
    ],
    alsoIn: ['leases'],
  },
  'shows its leases among the records': { caughtBy: ['listing: leases are not listed'], alsoIn: [] },
};
