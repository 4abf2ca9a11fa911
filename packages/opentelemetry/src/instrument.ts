import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api';
import { strictOptions } from '@tokenry/core/backend';
import { subscribeAll } from './events.js';
import { metricHandlers } from './metrics.js';
import { spanHandlers } from './spans.js';

export interface InstrumentOptions {
  /** @default the provider that is registered globally */
  readonly meterProvider?: MeterProvider;
  /** @default the provider that is registered globally */
  readonly tracerProvider?: TracerProvider;
}

export interface Instrumentation {
  /** Ends it: the channels are left as if nobody had ever listened. */
  disable(): void;
}

/**
 * Turns what Tokenry does into spans and metrics, from now until `disable()`. Call it once, after the SDK was set up; a
 * second instrumentation counts everything a second time.
 *
 * @throws TypeError (`TOKENRY_UNKNOWN_OPTION`) for an option that it does not know.
 * @example
 * ```ts
 * const instrumentation = instrument();
 * // …
 * instrumentation.disable();
 * ```
 */
export function instrument(options: InstrumentOptions = {}): Instrumentation {
  const checked = strictOptions('instrument', options, ['meterProvider', 'tracerProvider']);
  const { meterProvider = metrics.getMeterProvider(), tracerProvider = trace.getTracerProvider() } = checked;
  const ends = [subscribeAll(metricHandlers(meterProvider)), subscribeAll(spanHandlers(tracerProvider))];
  return {
    disable: () => {
      for (const end of ends) end();
    },
  };
}
