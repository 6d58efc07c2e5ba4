import { endsAll, ends } from "./ending.ts";
import type { EndingCall, History, Issuance, LoggedCall, TokenFacts, Trial } from "./history.ts";
import { createRevocationIndex, type RevocationIndex } from "./revocation-index.ts";

/** Something that must never be. */
export interface Violation {
  readonly rule: Rule;
  readonly call: LoggedCall;
}

export type Rule =
  | "a verifier accepted what it had heard is revoked"
  | "a verifier was not told of an end that was acknowledged before"
  | "a verifier accepted a token long after its end was acknowledged"
  | "introspection called a token active after its end was acknowledged"
  | "something that can be used once was used twice"
  | "a refresh token has two successors"
  | "a refresh token worked after its successor was used"
  | "a refresh token worked after its window"
  | "an honest client was signed out"
  | "a store that is away was answered with something other than 503"
  | "an end was forgotten"
  | "something that nobody ended is dead";

/** A retry within the window gets the same successor; this is the window, and what clocks and machines may add. */
const REPLAY_MS_MAX = 32_000;
/** How long an honest client may have tried, in vain, to get an answer before its token is used up. */
const HONEST_MS_MAX = 25_000;
/** What a busy machine adds. */
const SLACK_MS = 2_000;

/** Judges a whole history. Pure: the same history has the same violations. */
export function checkHistory(history: History): readonly Violation[] {
  const index = createRevocationIndex(history);
  const issuances = history.calls.filter((call) => call.type === "issuance");
  return [
    ...history.calls.flatMap((call) => judge(call, index, history)),
    ...listDoubleUses(issuances),
    ...listLateUses(issuances),
  ];
}

/** How long after its end was acknowledged a token was accepted at the latest, by services that do not accept while stale. */
export function measureLatestAcceptanceMs(history: History): number {
  const index = createRevocationIndex(history);
  return history.calls.reduce((latestMs, call) => {
    if (call.type !== "verification" || call.answer !== "accepted" || call.onStale === "accept") return latestMs;
    return Math.max(latestMs, call.startMs - index.of(call.token).acknowledgedAtMs);
  }, 0);
}

function judge(call: LoggedCall, index: RevocationIndex, history: History): readonly Violation[] {
  const rules = [...listRules(call, index, history)];
  return rules.map((rule) => ({ rule, call }));
}

function* listRules(call: LoggedCall, index: RevocationIndex, { staleAfterMs }: History): Generator<Rule> {
  switch (call.type) {
    case "verification": {
      if (call.answer !== "accepted") return;
      const { firstId, firstRecordedId, acknowledgedAtMs } = index.of(call.token);
      const { position = Number.NEGATIVE_INFINITY } = call;
      if (firstId <= position) yield "a verifier accepted what it had heard is revoked";
      else if (firstRecordedId <= position && call.startMs > acknowledgedAtMs) {
        yield "a verifier was not told of an end that was acknowledged before";
      }
      // A heartbeat may be on its way for as long as the feed may be silent, and is then believed for as long again.
      const isPromised = call.onStale !== "accept";
      if (isPromised && call.startMs > acknowledgedAtMs + 2 * staleAfterMs + SLACK_MS) {
        yield "a verifier accepted a token long after its end was acknowledged";
      }
      return;
    }
    case "introspection":
      if (call.answer === "active" && call.startMs > index.of(call.token).acknowledgedAtMs) {
        yield "introspection called a token active after its end was acknowledged";
      }
      return;
    case "issuance":
      if (wasSignedOut(call, index)) yield "an honest client was signed out";
      if (call.answer.type === "unknown" && (call.answer.status ?? 503) !== 503) {
        yield "a store that is away was answered with something other than 503";
      }
      return;
    case "trial":
      if (call.answer === "usable" && isEnded(call, index)) yield "an end was forgotten";
      if (call.answer === "refused" && !mayBeEnded(call, index)) yield "something that nobody ended is dead";
      return;
    case "ending":
      return;
    default:
      call satisfies never;
  }
}

function wasSignedOut({ answer, honest, startMs, endMs }: Issuance, index: RevocationIndex): boolean {
  if (answer.type !== "refused" || honest === undefined || startMs - honest.sinceMs > HONEST_MS_MAX) return false;
  return !index.listEndings(honest.sid).some((call) => endsAll(call.ending, honest) && call.startMs < endMs);
}

function isEnded(trial: Trial, index: RevocationIndex): boolean {
  const isRefused = trial.token !== undefined && Number.isFinite(index.of(trial.token).firstRecordedId);
  return isRefused || listEndingsOf(trial, index).some(({ answer }) => answer === "acknowledged");
}

function mayBeEnded(trial: Trial, index: RevocationIndex): boolean {
  // Of an access token the records tell exactly; of the rest only who tried to end it.
  if (trial.token !== undefined) return Number.isFinite(index.of(trial.token).firstRecordedId);
  return listEndingsOf(trial, index).length > 0;
}

function listEndingsOf(trial: Trial, index: RevocationIndex): readonly EndingCall[] {
  const { token } = trial;
  return index
    .listEndings(trial.sid)
    .filter(({ ending }) => (token === undefined ? endsAll(ending, trial) : ends(ending, token)));
}

type Use = Issuance & {
  readonly answer: { readonly type: "issued"; readonly token: TokenFacts; readonly refreshToken: string };
};

const isUse = (call: Issuance): call is Use => call.answer.type === "issued";

/** A code has one use. A refresh token may have several, with one successor. */
function listDoubleUses(issuances: readonly Issuance[]): readonly Violation[] {
  const byPresented = Map.groupBy(issuances.filter(isUse), ({ presented }) => presented);
  return [...byPresented.values()].flatMap((uses): Violation[] => {
    const [first, ...others] = uses;
    if (first?.by === "code") {
      return others.map((call) => ({ rule: "something that can be used once was used twice", call }));
    }
    return others
      .filter((call) => call.answer.refreshToken !== first?.answer.refreshToken)
      .map((call) => ({ rule: "a refresh token has two successors", call }));
  });
}

/** The window closes when the successor is used, and by time. */
function listLateUses(issuances: readonly Issuance[]): readonly Violation[] {
  const uses = issuances.filter((call) => isUse(call)).filter(({ by }) => by === "refresh_token");
  const firstUses = new Map<string, Use>();
  for (const use of uses) {
    const first = firstUses.get(use.presented);
    if (first === undefined || use.endMs < first.endMs) firstUses.set(use.presented, use);
  }
  return uses.flatMap((call): Violation[] => {
    const successorUsed = firstUses.get(call.answer.refreshToken);
    if (successorUsed !== undefined && successorUsed.endMs < call.startMs) {
      return [{ rule: "a refresh token worked after its successor was used", call }];
    }
    const first = firstUses.get(call.presented);
    const isLate = first !== undefined && call.startMs > first.endMs + REPLAY_MS_MAX;
    return isLate ? [{ rule: "a refresh token worked after its window", call }] : [];
  });
}
