/** Name of the instrumentation scope. */
export const SCOPE = '@tokenry/opentelemetry';

/** Metrics: durations in seconds, as the OpenTelemetry conventions ask; counters in annotations (UCUM). */
export const METRICS = {
  acquireDuration: {
    name: 'tokenry.acquire.duration',
    unit: 's',
    description: 'Calls for an access token that were not answered from the hot path',
  },
  refreshDuration: { name: 'tokenry.refresh.duration', unit: 's', description: 'Refreshes, from the decision to the outcome' },
  saveDuration: { name: 'tokenry.save.duration', unit: 's', description: 'Saves of a record, repeats after conflicts included' },
  saveConflicts: {
    name: 'tokenry.save.conflicts',
    unit: '{conflict}',
    description: 'Writes refused because somebody else had written the record',
  },
  leaseWait: { name: 'tokenry.lease.wait', unit: 's', description: 'Time until a lease was held or given up' },
  leaseEvents: { name: 'tokenry.lease.events', unit: '{event}', description: 'What happened to leases' },
  faults: { name: 'tokenry.faults', unit: '{fault}', description: 'Stores and servers that did not do as asked' },
} as const;

/** Spans. Each is made when the work is over, with the times that it really had. */
export const SPANS = {
  acquire: 'tokenry.acquire',
  refresh: 'tokenry.refresh',
  save: 'tokenry.save',
  lease: 'tokenry.lease.acquire',
} as const;

export const ATTRIBUTES = {
  outcome: 'tokenry.outcome',
  grantType: 'tokenry.grant_type',
  leaseAction: 'tokenry.lease.action',
  operation: 'tokenry.operation',
  servedStale: 'tokenry.served_stale',
  /** On spans alone: a metric would grow by one series per user. */
  tokenKey: 'tokenry.token_key',
  scopes: 'tokenry.scopes',
  attempts: 'tokenry.save.attempts',
  leaseName: 'tokenry.lease.name',
  leaseHolder: 'tokenry.lease.holder',
  errorType: 'error.type',
} as const;

/** Bounds in seconds for work that takes from microseconds (memory) to a minute (waiting for a lease). */
export const SECONDS = [0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 90];
