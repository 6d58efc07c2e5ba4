/** How much of a sign-in ends: its session with all that lives with it, or also what was given for longer. */
export type EndScope = "session" | "whole";

/**
 * Why a session ended, and how much ends for it. Where a person merely leaves a browser, an app that was allowed to go
 * on without them (`offline_access`) goes on; where somebody takes access away, nothing of the sign-in stays.
 */
export const END_REASONS = {
  /** The person signed out, here or through an app. */
  signed_out: "session",
  /** Somebody else signed in in the same browser. */
  replaced: "session",
  /** The account had as many sessions as it may have, and began another. */
  limit: "session",
  /** The person ended it from elsewhere: a device that was lost, or is another's now. */
  ended_by_person: "whole",
  ended_by_operator: "whole",
  /** All tokens of the person, or of everybody, are revoked with it. */
  revoked_by_operator: "whole",
  password_changed: "whole",
  password_reset: "whole",
  /** Whoever changed the address may have been somebody else, and may be in. */
  email_change_undone: "whole",
  /** Second factors are set back for who has lost them: whoever found them is not to stay. */
  factors_reset: "whole",
  account_disabled: "whole",
  account_deleted: "whole",
} as const satisfies Record<string, EndScope>;

export type EndReason = keyof typeof END_REASONS;

/** Reasons that concern the person and not one session: they also end what no session knows of. */
const OF_THE_ACCOUNT: ReadonlySet<EndReason> = new Set([
  "account_disabled",
  "account_deleted",
  "password_reset",
  "email_change_undone",
  "factors_reset",
  "revoked_by_operator",
]);

export function concernsAccount(reason: EndReason): boolean {
  return OF_THE_ACCOUNT.has(reason);
}

/** What a sign-in's row says of its end. */
export interface EndState {
  readonly endScope: EndScope | undefined;
}

/**
 * `end`: the session ends. `upgrade`: it ended before, and now goes what stayed then. `nothing`: it is so already.
 */
export function decideEnding({ endScope }: EndState, wanted: EndScope): "end" | "upgrade" | "nothing" {
  if (endScope === undefined) return "end";
  return endScope === "session" && wanted === "whole" ? "upgrade" : "nothing";
}
