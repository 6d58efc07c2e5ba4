import type { PersonState } from "../load/person-state.ts";
import type { StoreUrls } from "../stores.ts";
import type { Usage } from "./usage.ts";

/** The last: Latchkey as so many processes. */
export type VariantName = "customary" | "latchkey" | `${number}_processes`;

export interface VariantOptions {
  readonly stores: StoreUrls;
  /** How many of `personAt(0)…` have to be able to sign in. */
  readonly personCount: number;
}

/** A server process under test, reached as an app reaches it. */
export interface RunningVariant {
  readonly name: VariantName;
  readonly issuer: string;
  /** The secret of `billing-api`. */
  readonly clientSecret: string;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

/** What storing people took beside Redis, which is measured from outside. */
export interface PopulationCost {
  readonly postgresBytes: number;
}

export interface Variant {
  readonly name: VariantName;
  start(options: VariantOptions): Promise<RunningVariant>;
  /** Writes people's protocol state into empty stores through the variant's own adapter. */
  populate(stores: StoreUrls, people: Iterable<PersonState>): Promise<PopulationCost>;
}
