import type { Attributes, MeterProvider, MetricOptions } from '@opentelemetry/api';
import type { EventHandlers } from './events.js';
import { ATTRIBUTES, METRICS, SCOPE, SECONDS } from './names.js';

/** Handlers that record metrics with `provider`. */
export function metricHandlers(provider: MeterProvider): Required<EventHandlers> {
  const meter = provider.getMeter(SCOPE);
  const histogram = ({ name, ...options }: MetricOptions & { readonly name: string }) =>
    meter.createHistogram(name, { ...options, advice: { explicitBucketBoundaries: SECONDS } });
  const counter = ({ name, ...options }: MetricOptions & { readonly name: string }) => meter.createCounter(name, options);
  const acquires = histogram(METRICS.acquireDuration);
  const refreshes = histogram(METRICS.refreshDuration);
  const saves = histogram(METRICS.saveDuration);
  const waits = histogram(METRICS.leaseWait);
  const conflicts = counter(METRICS.saveConflicts);
  const leases = counter(METRICS.leaseEvents);
  const faults = counter(METRICS.faults);
  return {
    acquire: ({ outcome, durationMs }) => acquires.record(durationMs / 1_000, { [ATTRIBUTES.outcome]: outcome }),
    refresh: ({ outcome, grantType, code, durationMs }) =>
      refreshes.record(durationMs / 1_000, {
        [ATTRIBUTES.outcome]: outcome,
        [ATTRIBUTES.grantType]: grantType,
        ...errorType(code),
      }),
    save: ({ outcome, durationMs }) => saves.record(durationMs / 1_000, { [ATTRIBUTES.outcome]: outcome }),
    conflict: () => conflicts.add(1),
    lease: ({ action, waitedMs }) => {
      leases.add(1, { [ATTRIBUTES.leaseAction]: action });
      if (waitedMs !== undefined) waits.record(waitedMs / 1_000, { [ATTRIBUTES.leaseAction]: action });
    },
    fault: ({ operation, code, servedStale = false }) =>
      faults.add(1, { [ATTRIBUTES.operation]: operation, [ATTRIBUTES.servedStale]: servedStale, ...errorType(code) }),
  };
}

function errorType(code: string | undefined): Attributes {
  return code === undefined ? {} : { [ATTRIBUTES.errorType]: code };
}
