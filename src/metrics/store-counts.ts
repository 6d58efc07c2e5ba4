import type { StoreObserver } from "../storage/index.ts";
import type { Families } from "./families.ts";

/** `storage` tells of operations by a closed list of words. */
export function createStoreCounts(families: Families): StoreObserver {
  const durations = families.histogram("latchkey_store_call_duration_seconds");
  const failures = families.counter("latchkey_store_failures_total");
  const roundTrips = families.counter("latchkey_store_round_trips_total");
  // There from the start: what Prometheus has not seen at nought, it does not see begin.
  for (const store of ["postgres", "redis"]) roundTrips.labels(store).inc(0);
  failures.labels("postgres", "connect").inc(0);
  for (const operation of ["hgetall", "evalsha"]) failures.labels("redis", operation).inc(0);

  return {
    called({ store, operation, tookMs, isFailed }) {
      durations.labels(store, operation).observe(tookMs / 1000);
      if (isFailed) failures.labels(store, operation).inc();
    },
    sent: (store) => roundTrips.labels(store).inc(),
  };
}
