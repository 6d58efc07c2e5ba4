import type { Violation } from "./check-history.ts";
import type { History, LoggedCall } from "./history.ts";
import type { InjectedFault } from "./injector.ts";

/** Faults that ended so long before a call may still have to do with it. */
const BEFORE_MS = 10_000;

/** How often what happened. */
export function summarize({ calls }: History): string {
  const kinds = Map.groupBy(calls, ({ type, answer }) => `${type} ${answerIn(answer)}`);
  return [...kinds]
    .map(([kind, those]) => `${those.length} ${kind}`)
    .toSorted()
    .join(", ");
}

/** One text a rule: the first call that broke it, what else happened to the same sign-in, and what was broken then. */
export function explain(
  violations: readonly Violation[],
  { calls, records }: History,
  faults: readonly InjectedFault[],
): readonly string[] {
  return [...Map.groupBy(violations, ({ rule }) => rule)].map(([rule, those]) => {
    const [{ call }] = those as [Violation, ...Violation[]];
    const sid = sidOf(call);
    const around = faults.filter(({ startMs, endMs }) => endMs > call.startMs - BEFORE_MS && startMs < call.endMs);
    return [
      `${rule} (${those.length} times)`,
      JSON.stringify(call),
      ...records.filter(({ value }) => value.startsWith(sid)).map((record) => JSON.stringify(record)),
      ...calls.filter((other) => other.type !== "verification" && sidOf(other) === sid).map((other) => lineOf(other)),
      ...around.map(({ what, startMs, endMs }) => `${Math.round(startMs)} to ${Math.round(endMs)}: ${what}`),
    ].join("\n");
  });
}

/** The tag of the sign-in stands at the front of every name that hangs on it. */
function sidOf(call: LoggedCall): string {
  if (call.type === "trial") return call.sid;
  if (call.type === "issuance") return call.presented.slice(0, TAG_CHARACTERS);
  if (call.type !== "ending") return call.token.sid;
  return Object.values({ ...call.ending, kind: "" })
    .join("")
    .slice(0, TAG_CHARACTERS);
}

const TAG_CHARACTERS = 16;

function lineOf(call: LoggedCall): string {
  const times = `${Math.round(call.startMs)} to ${Math.round(call.endMs)}`;
  if (call.type === "ending") return `${times}: ${JSON.stringify(call.ending)} ${call.answer}`;
  if (call.type !== "issuance") return `${times}: ${call.type} ${answerIn(call.answer)}`;
  const successor = call.answer.type === "issued" ? endOf(call.answer.refreshToken) : JSON.stringify(call.answer);
  return `${times}: ${call.by} ${endOf(call.presented)} gave ${successor}`;
}

/** Enough to tell tokens apart. */
const endOf = (token: string): string => `…${token.slice(-8)}`;

function answerIn(answer: string | { readonly type: string }): string {
  return typeof answer === "string" ? answer : answer.type;
}
