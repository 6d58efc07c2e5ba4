import type * as prometheus from "prom-client";
import type { Counter, Gauge, Histogram, Registry } from "prom-client";
import { CATALOGUE, type MetricDefinition, type MetricName } from "./catalogue.ts";

/** The metrics of the catalogue, by name. Label values are given in the order in which it names them. */
export interface Families {
  counter(name: MetricName): Counter;
  gauge(name: MetricName): Gauge;
  histogram(name: MetricName): Histogram;
}

/** What of the client makes metrics: it is loaded only where there is something to count. */
type MetricClasses = Pick<typeof prometheus, "Counter" | "Gauge" | "Histogram">;

/** Made all at once, so that a metric of which nothing happened yet is there, too. */
export function createFamilies(classes: MetricClasses, registry: Registry): Families {
  const counters = new Map<MetricName, Counter>();
  const gauges = new Map<MetricName, Gauge>();
  const histograms = new Map<MetricName, Histogram>();
  for (const [key, { kind, help, labels, buckets = [], isOfDeployment }] of Object.entries<MetricDefinition>(
    CATALOGUE,
  )) {
    const name = key as MetricName;
    const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
    if (kind === "counter") counters.set(name, new classes.Counter(options));
    else if (kind === "gauge") {
      const aggregator = isOfDeployment === true ? "max" : "sum";
      gauges.set(name, new classes.Gauge({ ...options, aggregator }));
    } else histograms.set(name, new classes.Histogram({ ...options, buckets: [...buckets] }));
  }
  return {
    counter: (name) => ofKind(counters, name),
    gauge: (name) => ofKind(gauges, name),
    histogram: (name) => ofKind(histograms, name),
  };
}

function ofKind<Metric>(metrics: ReadonlyMap<MetricName, Metric>, name: MetricName): Metric {
  const metric = metrics.get(name);
  if (metric === undefined) throw new Error(`${name} is a metric of another kind`);
  return metric;
}
