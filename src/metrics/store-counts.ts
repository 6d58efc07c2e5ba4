import type { StoreCall, StoreObserver } from "../storage/index.ts";
import type { Durations, Families } from "./families.ts";

/** `storage` tells of operations by a closed list of words. */
export function createStoreCounts(families: Families): StoreObserver {
  const durations = families.durations("latchkey_store_call_duration_seconds");
  const failures = families.counts("latchkey_store_failures_total");
  const roundTrips = families.counts("latchkey_store_round_trips_total");
  const trips = { postgres: roundTrips.series("postgres"), redis: roundTrips.series("redis") };
  failures.series("postgres", "connect");
  for (const operation of ["hgetall", "evalsha"]) failures.series("redis", operation);
  const known = { postgres: new Map<string, Durations>(), redis: new Map<string, Durations>() };

  function seriesOf({ store, operation }: StoreCall): Durations {
    const found = known[store].get(operation);
    if (found !== undefined) return found;
    const made = durations.series(store, operation);
    known[store].set(operation, made);
    return made;
  }

  return {
    called(call) {
      seriesOf(call).observe(call.tookMs / 1000);
      if (call.isFailed) failures.series(call.store, call.operation).value += 1;
    },
    sent(store) {
      trips[store].value += 1;
    },
  };
}
