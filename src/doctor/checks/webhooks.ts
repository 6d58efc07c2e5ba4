import type { WebhookSummary } from "../../webhooks/index.ts";
import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, warning, whenSeen } from "../finding.ts";

const HELD_UP_MS = 60 * 60 * 1_000;

/** Whether webhooks take what they are told. */
export function checkWebhooks({ webhooks, nowMs }: Deployment): readonly Finding[] {
  return whenSeen("webhooks", webhooks, (list) => {
    const trouble = list.flatMap((webhook) => troubleOf(webhook, nowMs));
    if (trouble.length > 0) return trouble;
    if (list.length === 0) return [ok("webhooks", "There are none.")];
    return [
      ok(
        "webhooks",
        `${list.length === 1 ? "The one that there is takes" : `All ${list.length} take`} what they are told.`,
      ),
    ];
  });
}

function troubleOf(
  { id, disabledAt, disabledReason, waitingSince }: WebhookSummary,
  nowMs: number,
): readonly Finding[] {
  if (disabledAt !== undefined) {
    if (disabledReason === "operator") return [];
    const why = disabledReason === "gone" ? "answered that it is gone (410)" : "took nothing for three days";
    const remedy = `Mend it, try with "latchkey webhook test ${id}", then "latchkey webhook enable ${id}" goes on where it ended; or "latchkey webhook remove ${id}".`;
    return [failure("webhooks", `The webhook ${id} ${why}, and is told nothing any more.`, remedy)];
  }
  const waitsMs = waitingSince === undefined ? 0 : nowMs - waitingSince.getTime();
  if (waitsMs < HELD_UP_MS) return [];
  const hours = Math.floor(waitsMs / HELD_UP_MS);
  const meaning = `The webhook ${id} has not taken an event for ${hours === 1 ? "an hour" : `${hours} hours`}. After three days it is disabled.`;
  return [warning("webhooks", meaning, `"latchkey webhook test ${id}" says what it answers.`)];
}
