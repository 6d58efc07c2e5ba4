/**
 * `ok`: as it should be. `warning`: it works, and will not for ever, or loses something when a machine fails. `failure`:
 * it is wrong now. `unchecked`: what it would have been looked at with is away.
 */
export type FindingStatus = "ok" | "warning" | "failure" | "unchecked";

/** What one look at a deployment found. */
export interface Finding {
  /** The name of the check, for programs; never used for something else. */
  readonly check: string;
  readonly status: FindingStatus;
  /** What was found, and what that means. Holds no secret. */
  readonly meaning: string;
  /** What to do about it; absent where nothing has to be done. */
  readonly remedy?: string;
}

/** Something that was looked at, or why it could not be. */
export type Seen<Value> =
  | { readonly isSeen: true; readonly value: Value }
  | { readonly isSeen: false; readonly because: string };

export function ok(check: string, meaning: string): Finding {
  return { check, status: "ok", meaning };
}

export function warning(check: string, meaning: string, remedy: string): Finding {
  return { check, status: "warning", meaning, remedy };
}

export function failure(check: string, meaning: string, remedy: string): Finding {
  return { check, status: "failure", meaning, remedy };
}

/** For what another finding has told of already. */
export function unchecked(check: string, because: string): Finding {
  return { check, status: "unchecked", meaning: `Could not be checked: ${because}.`, remedy: "Mend that first." };
}

/** Finds with what was seen, and says that it could not where it was not. */
export function whenSeen<Value>(
  check: string,
  seen: Seen<Value>,
  find: (value: Value) => readonly Finding[],
): readonly Finding[] {
  return seen.isSeen ? find(seen.value) : [unchecked(check, seen.because)];
}
