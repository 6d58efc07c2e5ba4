import { OPERATIONS } from "../load/load.ts";
import type { Row } from "../report.ts";
import type { Variant } from "../variants/variant.ts";
import { countRoundTrips } from "./round-trips.ts";
import { measureTakingTurns, type NamedOperation, type TurnOptions } from "./taking-turns.ts";

export interface TokenOptions extends Omit<TurnOptions, "operations"> {
  /** What to measure: everything for `token`, only that one for `refresh`. */
  readonly scenario: "token" | "refresh";
}

/** Tokens per second, latency, processor time, memory and round trips of each kind of request. */
export async function runTokenScenario(variants: readonly Variant[], options: TokenOptions): Promise<readonly Row[]> {
  const operations = operationsOf(options);
  const rows = [...(await measureTakingTurns(variants, { ...options, operations }))];
  for (const variant of variants) {
    options.progress(`${options.scenario}: counting the round trips of ${variant.name}`);
    rows.push(...(await countRoundTrips(variant, operations)));
  }
  return rows;
}

/** How rows name the requests of a scenario. */
function operationsOf({ scenario }: Pick<TokenOptions, "scenario">): readonly NamedOperation[] {
  return scenario === "refresh"
    ? [{ operation: "refresh", name: "refresh" }]
    : OPERATIONS.map((operation) => ({ operation, name: `token/${operation}` }));
}
