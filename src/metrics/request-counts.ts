import type { AnsweredRequest } from "../http/index.ts";
import { closedValues, firstValues, OTHER } from "./bounded-values.ts";
import type { Families } from "./families.ts";

/** Patterns of paths and codes of refusals are written in the code: some 80 of the first, some 100 of the second. */
const ROUTES_MAX = 200;
const REASONS_MAX = 200;

export function createRequestCounts(families: Families): (request: AnsweredRequest) => void {
  const durations = families.histogram("latchkey_http_request_duration_seconds");
  const refusals = families.counter("latchkey_http_refusals_total");
  const methodOf = closedValues(["GET", "HEAD", "POST", "OPTIONS"]);
  const routeOf = firstValues(ROUTES_MAX);
  const reasonOf = firstValues(REASONS_MAX);

  return ({ route = OTHER, method, status, outcome, reason, tookMs }) => {
    const statusClass = `${Math.trunc(status / 100)}xx`;
    durations.labels(routeOf(route), methodOf(method), statusClass, outcome).observe(tookMs / 1000);
    if (outcome !== "ok") refusals.labels(reason === undefined ? OTHER : reasonOf(reason)).inc();
  };
}
