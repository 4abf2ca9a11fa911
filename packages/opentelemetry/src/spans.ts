import { type Attributes, SpanKind, SpanStatusCode, type TracerProvider } from '@opentelemetry/api';
import type { EventHandlers } from './events.js';
import { ATTRIBUTES, SCOPE, SPANS } from './names.js';

/** Outcomes after which the caller had no token, or the store no record of it. */
const FAILURES = new Set(['failed', 'throttled', 'request-refused', 'terminal', 'token-not-saved', 'timed-out']);

interface Work {
  readonly name: string;
  readonly outcome: string;
  readonly durationMs: number;
  readonly code?: string | undefined;
  readonly attributes: Attributes;
}

/**
 * Handlers that make spans with `provider`, as children of whatever is active where the work ends. What took no time worth
 * showing (a token from memory, a record that was as it should be) makes none.
 */
export function spanHandlers(provider: TracerProvider): EventHandlers {
  const tracer = provider.getTracer(SCOPE);
  const record = ({ name, outcome, durationMs, code, attributes }: Work) => {
    const endTime = Date.now();
    const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL, startTime: endTime - durationMs, attributes });
    if (FAILURES.has(outcome)) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: outcome });
      span.setAttribute(ATTRIBUTES.errorType, code ?? outcome);
    }
    span.end(endTime);
  };
  return {
    acquire: ({ tokenKey, outcome, durationMs }) => {
      if (outcome === 'hit') return;
      const attributes = { [ATTRIBUTES.tokenKey]: tokenKey, [ATTRIBUTES.outcome]: outcome };
      record({ name: SPANS.acquire, outcome, durationMs, attributes });
    },
    refresh: ({ tokenKey, outcome, durationMs, code, grantType, scopes }) => {
      const request = { [ATTRIBUTES.grantType]: grantType, [ATTRIBUTES.scopes]: [...scopes] };
      const attributes = { [ATTRIBUTES.tokenKey]: tokenKey, [ATTRIBUTES.outcome]: outcome, ...request };
      record({ name: SPANS.refresh, outcome, durationMs, code, attributes });
    },
    save: ({ tokenKey, outcome, durationMs, attempts }) => {
      if (outcome === 'unchanged') return;
      const attributes = { [ATTRIBUTES.tokenKey]: tokenKey, [ATTRIBUTES.outcome]: outcome, [ATTRIBUTES.attempts]: attempts };
      record({ name: SPANS.save, outcome, durationMs, attributes });
    },
    lease: ({ name, action, waitedMs = 0, holder }) => {
      if (action !== 'acquired' && action !== 'timed-out') return;
      const held = holder === undefined ? {} : { [ATTRIBUTES.leaseHolder]: holder };
      const attributes = { [ATTRIBUTES.leaseName]: name, [ATTRIBUTES.leaseAction]: action, ...held };
      record({ name: SPANS.lease, outcome: action, durationMs: waitedMs, attributes });
    },
  };
}
