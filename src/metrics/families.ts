import type { MetricDefinition, MetricName } from "./catalogue.ts";

/** A number that is written out under some labels, in the form that prom-client takes. */
export interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A count under fixed labels. Counting is an addition, and nothing else: it is done several times a request. */
export interface Count {
  value: number;
}

/** How long something took, under fixed labels. */
export interface Durations {
  observe(seconds: number): void;
}

/** All series of one metric. */
export interface Family<Series> {
  /** The series of these label values, in the order of the catalogue. Keep it, where it is asked for often. */
  series(...values: readonly string[]): Series;
  samples(): readonly Sample[];
}

/** The families of the catalogue, by name. */
export interface Families {
  counts(name: MetricName): Family<Count>;
  durations(name: MetricName): Family<Durations>;
}

export function createCounts(name: string, definition: MetricDefinition): Family<Count> {
  return createFamily(
    definition,
    (): Count => ({ value: 0 }),
    (labels, { value }) => [{ metricName: name, labels, value }],
  );
}

interface Histogram extends Durations {
  readonly counts: number[];
  readonly sum: () => number;
}

export function createDurations(name: string, definition: MetricDefinition): Family<Durations> {
  const buckets = definition.buckets ?? [];
  return createFamily(
    definition,
    () => createHistogram(buckets),
    (labels, { counts, sum }) => {
      const samples: Sample[] = [];
      let total = 0;
      for (const [at, count] of counts.entries()) {
        total += count;
        samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: buckets[at] ?? "+Inf" }, value: total });
      }
      return [
        ...samples,
        { metricName: `${name}_sum`, labels, value: sum() },
        { metricName: `${name}_count`, labels, value: total },
      ];
    },
  );
}

function createHistogram(buckets: readonly number[]): Histogram {
  const counts = Array.from({ length: buckets.length + 1 }, () => 0);
  let sum = 0;
  return {
    counts,
    sum: () => sum,
    observe(seconds) {
      let at = 0;
      while (at < buckets.length && seconds > (buckets[at] ?? 0)) at += 1;
      counts[at] = (counts[at] ?? 0) + 1;
      sum += seconds;
    },
  };
}

type Labels = Readonly<Record<string, string>>;

function createFamily<Series>(
  { labels: names }: MetricDefinition,
  make: () => Series,
  write: (labels: Labels, series: Series) => readonly Sample[],
): Family<Series> {
  const known = new Map<string, { readonly labels: Labels; readonly series: Series }>();
  const labelNames = Object.keys(names);
  return {
    series(...values) {
      const key = values.join("\n");
      const found = known.get(key);
      if (found !== undefined) return found.series;
      const labels = Object.fromEntries(labelNames.map((name, at) => [name, values[at] ?? ""]));
      const series = make();
      known.set(key, { labels, series });
      return series;
    },
    samples: () => [...known.values()].flatMap(({ labels, series }) => write(labels, series)),
  };
}
