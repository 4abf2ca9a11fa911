import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

export interface Point {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Of a histogram: how many values, and their sum. */
  readonly value: number | { readonly count: number; readonly sum: number };
}

/** The real SDK, keeping what it is given. */
export function telemetry() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
  const spanExporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spanExporter })] });
  const points = async (name: string): Promise<Point[]> => {
    exporter.reset();
    await meterProvider.forceFlush();
    const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return metrics
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => ({
          name: descriptor.name,
          unit: descriptor.unit,
          attributes,
          value: typeof value === 'number' ? value : { count: value.count, sum: (value as { sum?: number }).sum ?? Number.NaN },
        })),
      );
  };
  return {
    meterProvider,
    tracerProvider,
    points,
    spans: () => spanExporter.getFinishedSpans(),
    close: async () => {
      await meterProvider.shutdown();
      await tracerProvider.shutdown();
    },
  };
}
