import type { Config } from "../../config/index.ts";
import { ID_TOKEN_SECONDS } from "../configuration/lifetimes.ts";
import type { KeySchedule } from "./key-schedule.ts";

/** What the schedule follows from; in seconds. */
export interface KeyTimes {
  readonly rotationSeconds: number;
  readonly leadSeconds: number;
  /**
   * How long an ID token may be shown to us again, by an app that signs a person out: `id_token_hint` counts when the
   * token has expired, and must be of a key that we know.
   */
  readonly hintSeconds: number;
}

/** For clocks that differ, verifiers' tolerance, and tokens whose issuance was under way. */
const TOLERANCE_SECONDS = 300;
/** What a node that has not heard of the retirement signs meanwhile, and what its clock may differ. */
const RETIREMENT_HEARD_SECONDS = 60;

/** Apps keep an ID token for the session that it came from. */
export function keyTimesOf({ keys, session }: Pick<Config, "keys" | "session">): KeyTimes {
  const { rotationSeconds, leadSeconds } = keys;
  return { rotationSeconds, leadSeconds, hintSeconds: session.maxSeconds };
}

/** @param tokenSeconds how long an access token of a moment ago may live, with what clocks add. */
export function toSchedule(times: KeyTimes, tokenSeconds: number): KeySchedule {
  const longest = Math.max(tokenSeconds, Math.max(ID_TOKEN_SECONDS, times.hintSeconds) + TOLERANCE_SECONDS);
  return {
    rotationMs: times.rotationSeconds * 1_000,
    leadMs: times.leadSeconds * 1_000,
    retiredMs: (longest + RETIREMENT_HEARD_SECONDS) * 1_000,
  };
}
