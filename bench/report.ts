/** One measured number, as `--json` writes it. */
export interface Row {
  /** `token/refresh`, say: the scenario, and the kind of request where there are several. */
  readonly scenario: string;
  readonly variant: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle];
  const lower = sorted[sorted.length % 2 === 0 ? middle - 1 : middle];
  if (upper === undefined || lower === undefined) throw new Error("the median of nothing");
  return (lower + upper) / 2;
}

/** @param sorted ascending, not empty. @param fraction 0.99 for the 99th percentile. */
export function percentile(sorted: readonly number[], fraction: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * fraction) - 1)];
  if (value === undefined) throw new Error("a percentile of nothing");
  return value;
}

/**
 * The median with the interval that holds the true one in 95 of 100 cases, by the ranks of a binomial distribution:
 * nothing has to be assumed of how the values are spread.
 */
export function medianInterval(values: readonly number[]) {
  const sorted = values.toSorted((left, right) => left - right);
  const reach = (1.96 * Math.sqrt(sorted.length)) / 2;
  const at = (rank: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(rank)))] ?? Number.NaN;
  return { median: median(sorted), low: at(sorted.length / 2 - reach - 1), high: at(sorted.length / 2 + reach) };
}

/** The rows as tables, one for all that has the same variants: a line per metric, a column per variant. */
export function formatTable(rows: readonly Row[]): string {
  const scenarios = Map.groupBy(rows, ({ scenario }) => scenario.split("/")[0] ?? "");
  const tables = Map.groupBy(scenarios.values(), (some) => variantsOf(some).join());
  return [...tables.values()].map((some) => formatOneTable(some.flat())).join("\n\n");
}

function variantsOf(rows: readonly Row[]): readonly string[] {
  return [...new Set(rows.map(({ variant }) => variant))];
}

function formatOneTable(rows: readonly Row[]): string {
  const variants = variantsOf(rows);
  const lines = new Map<string, Map<string, Row>>();
  for (const row of rows) {
    const name = `${row.scenario}  ${row.metric}`;
    const line = lines.get(name) ?? new Map<string, Row>();
    lines.set(name, line.set(row.variant, row));
  }
  const isComparison = variants.includes("latchkey") && variants.includes("customary");
  const heading = ["scenario", "metric", ...variants, ...(isComparison ? ["latchkey / customary"] : [])];
  const cells = [heading, ...[...lines.values()].map((line) => formatLine(line, variants, isComparison))];
  const widths = heading.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const pad = (text: string, column: number): string =>
    column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return cells.map((line) => line.map(pad).join("  ").trimEnd()).join("\n");
}

function formatLine(line: ReadonlyMap<string, Row>, variants: readonly string[], isComparison: boolean): string[] {
  const [first] = line.values();
  const values = variants.map((variant) => formatValue(line.get(variant)?.value));
  const name = [first?.scenario ?? "", first?.metric ?? "", ...values];
  if (!isComparison) return name;
  const [ours, theirs] = [line.get("latchkey")?.value, line.get("customary")?.value];
  const isComparable = ours !== undefined && theirs !== undefined && theirs !== 0;
  return [...name, isComparable ? (ours / theirs).toFixed(2) : "-"];
}

function formatValue(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(2);
}
