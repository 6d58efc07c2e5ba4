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

/** The rows as a table: a line per metric, a column per variant, and how Latchkey compares. */
export function formatTable(rows: readonly Row[]): string {
  const variants = [...new Set(rows.map(({ variant }) => variant))];
  const lines = new Map<string, Map<string, Row>>();
  for (const row of rows) {
    const name = `${row.scenario}  ${row.metric}`;
    const line = lines.get(name) ?? new Map<string, Row>();
    lines.set(name, line.set(row.variant, row));
  }
  const body = [...lines.values()].map((line) => formatLine(line, variants));
  const cells = [["scenario", "metric", ...variants, "latchkey / customary"], ...body];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const pad = (text: string, column: number): string =>
    column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return cells.map((line) => line.map(pad).join("  ").trimEnd()).join("\n");
}

function formatLine(line: ReadonlyMap<string, Row>, variants: readonly string[]): string[] {
  const [first] = line.values();
  const values = variants.map((variant) => formatValue(line.get(variant)?.value));
  const [ours, theirs] = [line.get("latchkey")?.value, line.get("customary")?.value];
  const isComparable = ours !== undefined && theirs !== undefined && theirs !== 0;
  return [first?.scenario ?? "", first?.metric ?? "", ...values, isComparable ? (ours / theirs).toFixed(2) : "-"];
}

function formatValue(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(2);
}
