import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { METRICS_PAGE, metricsPage } from "../../docs/generate-metrics.ts";
import { AUDIT_EVENTS } from "../audit/index.ts";
import { CATALOGUE, createMetrics } from "./index.ts";

const FOLDER = join(import.meta.dirname, "../../docs/operations");
const read = (file: string): string => readFileSync(join(FOLDER, file), "utf8");

const dashboard = z.object({
  panels: z.array(
    z.object({
      type: z.string(),
      title: z.string().min(1),
      targets: z.array(z.object({ expr: z.string().min(1) })).default([]),
    }),
  ),
  templating: z.object({ list: z.array(z.object({ name: z.string(), query: z.string() })) }),
});

const alerts = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string().regex(/^Latchkey[A-Z]/),
          expr: z.string().min(1),
          labels: z.object({ severity: z.enum(["page", "ticket"]) }),
          annotations: z.object({ summary: z.string().min(1) }),
        }),
      ),
    }),
  ),
});

/** Names in a query that are no function, label or keyword: they begin as metrics here do, or are `up`. */
function metricsIn(query: string): readonly string[] {
  return query.match(/\b(?:latchkey|process|nodejs)_\w+/g) ?? [];
}

let known: ReadonlySet<string>;
beforeAll(async () => {
  const metrics = await createMetrics();
  const names = metrics.describe().map(({ name }) => name);
  metrics.close();
  known = new Set(names.flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]));
});

const panels = dashboard.parse(JSON.parse(read("grafana-dashboard.json")));
const rules = alerts.parse(parse(read("alerts.yaml"))).groups.flatMap((group) => group.rules);

test("docs/operations/metrics.md is what its generator writes (node docs/generate-metrics.ts)", async () => {
  expect(readFileSync(METRICS_PAGE, "utf8")).toBe(await metricsPage());
});

test("the dashboard asks for nothing that no process tells", () => {
  const queries = [
    ...panels.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...panels.templating.list.filter(({ name }) => name !== "datasource").map(({ query }) => query),
  ];
  expect(queries.length).toBeGreaterThan(30);
  for (const query of queries) {
    const names = metricsIn(query);
    expect(names.length, query).toBeGreaterThan(0);
    for (const name of names) expect(known, query).toContain(name);
  }
});

test("the dashboard shows every metric of our own", () => {
  const shown = new Set(panels.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsIn(expr))));
  const own = [...known].filter((name) => name.startsWith("latchkey_") && !/_(bucket|sum|count)$/.test(name));
  for (const name of own) {
    expect(
      [...shown].some((each) => each.replace(/_(bucket|sum|count)$/, "") === name),
      name,
    ).toBe(true);
  }
});

test("every panel but a heading has something to show", () => {
  for (const { type, title, targets } of panels.panels) expect(targets.length > 0, title).toBe(type !== "row");
});

describe("the rules for alerts", () => {
  test.each(rules)("$alert asks for what a process tells", ({ expr }) => {
    const names = metricsIn(expr);
    // What Prometheus itself knows of every process that it looks at.
    expect(names.length > 0 || expr.startsWith("up{")).toBe(true);
    for (const name of names) expect(known).toContain(name);
    expect(expr.split("(").length).toBe(expr.split(")").length);
  });

  test("have names of their own", () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});

test("queries choose by labels that there are", () => {
  const ofPrometheus = ["job", "instance", "le"];
  const labels = new Set([
    ...ofPrometheus,
    ...Object.values(CATALOGUE).flatMap((metric) => Object.keys(metric.labels)),
  ]);
  const queries = [...panels.panels.flatMap(({ targets }) => targets), ...rules].map(({ expr }) => expr);
  for (const query of queries) {
    for (const [, label] of query.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)) expect(labels, query).toContain(label);
  }
});

test("an alert on an audit event names one that there is", () => {
  const asked = rules.flatMap(({ expr }) =>
    expr.includes("latchkey_audit_events_total")
      ? Array.from(expr.matchAll(/type=~?"([^"]+)"/g), ([, type]) => type)
      : [],
  );
  expect(asked.length).toBeGreaterThan(2);
  for (const type of asked) {
    const pattern = new RegExp(`^(?:${type})$`);
    expect(Object.keys(AUDIT_EVENTS).filter((name) => pattern.test(name))).not.toEqual([]);
  }
});
