import type { AnsweredRequest } from "../http/index.ts";
import { closedValues, firstValues, OTHER } from "./bounded-values.ts";
import type { Durations, Families } from "./families.ts";

/** Patterns of paths and codes of refusals are written in the code: some 80 of the first, some 100 of the second. */
const ROUTES_MAX = 200;
const REASONS_MAX = 200;

export function createRequestCounts(families: Families): (request: AnsweredRequest) => void {
  const durations = families.durations("latchkey_http_request_duration_seconds");
  const refusals = families.counts("latchkey_http_refusals_total");
  const methodOf = closedValues(["GET", "HEAD", "POST", "OPTIONS"]);
  const routeOf = firstValues(ROUTES_MAX);
  const reasonOf = firstValues(REASONS_MAX);
  /** By route and method, then by the digit of the status and the outcome. */
  const known = new Map<string, Map<string, Map<string, Durations>>>();

  function seriesOf({ route = OTHER, method, status, outcome }: AnsweredRequest): Durations {
    const byStatus = entryOf(entryOf(known, routeOf(route)), methodOf(method));
    const statusClass = `${Math.trunc(status / 100)}xx`;
    const key = statusClass + outcome;
    const found = byStatus.get(key);
    if (found !== undefined) return found;
    const made = durations.series(routeOf(route), methodOf(method), statusClass, outcome);
    byStatus.set(key, made);
    return made;
  }

  return (request) => {
    seriesOf(request).observe(request.tookMs / 1000);
    if (request.outcome === "ok") return;
    refusals.series(request.reason === undefined ? OTHER : reasonOf(request.reason)).value += 1;
  };
}

function entryOf<Value>(map: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = new Map<string, Value>();
  map.set(key, made);
  return made;
}
