import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { EventJson } from "../audit/index.ts";
import { describeEvent } from "./audit-list-command.ts";
import type { Invocation } from "./command.ts";
import type { Answer, Failure } from "./execute.ts";
import { printAnswer } from "./print-answer.ts";
import type { FollowOrder } from "./request.ts";
import { showableJson } from "./showable.ts";
import type { Terminal } from "./terminal.ts";

export interface Following {
  /** Carries out a command, wherever the database is; `undefined` when nobody is there. */
  readonly ask: (invocation: Invocation) => Promise<Answer | undefined>;
  readonly terminal: Terminal;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly pauseMs?: number;
}

const PAUSE_MS = 1_000;

const pageSchema = z.object({
  events: z.array(z.custom<EventJson>((value) => typeof value === "object" && value !== null)),
  after: z.string(),
  isMore: z.boolean(),
});

/** Failures that pass: a store that is away, a server that starts anew. */
const PASSING: ReadonlySet<string> = new Set(["STORE_UNAVAILABLE", "SERVER_BUSY", "SERVER_SILENT", "SERVER_ERROR"]);

/**
 * Shows events as they come, in the order of the chain, until it is told to stop. What could not be asked is asked again,
 * from behind the last event that was shown: none is left out, and none is shown twice.
 */
export async function followEvents(order: FollowOrder, following: Following): Promise<0 | 1> {
  const { ask, terminal, signal, pauseMs = PAUSE_MS } = following;
  let { after } = order;
  let isAway = false;
  while (!signal.aborted) {
    const answer = await ask({ command: "audit list", input: { ...order.wanted, follow: { after } } });
    if (answer?.outcome === "done") {
      if (isAway) terminal.writeError("It answers again.\n");
      isAway = false;
      const page = pageSchema.parse(answer.data);
      for (const event of page.events) terminal.writeOut(`${lineOf(event, order.format)}\n`);
      after = page.after;
      if (page.isMore) continue;
    } else if (answer !== undefined && !PASSING.has(answer.code)) {
      return printAnswer(terminal, answer, order.format) === 0 ? 0 : 1;
    } else {
      if (!isAway) terminal.writeError(`${wordAbsence(answer)} It is asked again until it answers.\n`);
      isAway = true;
    }
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  return 0;
}

function lineOf(event: EventJson, format: FollowOrder["format"]): string {
  return format === "json" ? showableJson(JSON.stringify(event)) : describeEvent(event);
}

function wordAbsence(answer: Failure | undefined): string {
  return answer?.sentence ?? "No server runs on this data directory.";
}
