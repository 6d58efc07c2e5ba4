import { setTimeout as delay } from "node:timers/promises";
import type { Clock, Sealer } from "../core/index.ts";
import type { Db } from "../storage/index.ts";
import type { ClaimedMail } from "./claim-due-mails.ts";
import { decideOutcome, type Outcome, type TryResult } from "./decide-outcome.ts";
import type { MailObserver } from "./observer.ts";
import { openMail } from "./outgoing-mail.ts";
import type { RenderMail } from "./render-mail.ts";
import { withMailTables } from "./tables.ts";
import type { MailTransport } from "./transport.ts";

export interface DeliveryDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly render: RenderMail;
  readonly transport: MailTransport;
  readonly observer: MailObserver;
  /** Told of failures of our own side. */
  readonly report: (error: unknown) => void;
}

const RECORD_EVERY_MS = 500;
/** As long as the lease holds: afterwards the row may be another node's. */
const RECORDS_MAX = 160;

/** Tries once, and writes down what came of it. */
export async function deliverMail(deps: DeliveryDeps, mail: ClaimedMail, signal: AbortSignal): Promise<void> {
  const result = await tryOnce(deps, mail, signal);
  const secondsLeft = (mail.expiresAtMs - deps.clock.nowMs()) / 1_000;
  const outcome = decideOutcome(result, { tries: mail.tries, secondsLeft });
  await settle(deps, { mail, outcome, signal });
  const { kind, tries } = mail;
  const told = outcome.type === "tryAgain" ? "retried" : outcome.type;
  deps.observer.settled({ kind, tries, result: told, ...("reason" in outcome ? { reason: outcome.reason } : {}) });
}

async function tryOnce(deps: DeliveryDeps, claimed: ClaimedMail, signal: AbortSignal): Promise<TryResult> {
  try {
    const mail = openMail(deps.sealer, claimed);
    if (mail === undefined) return { type: "unprepared" };
    return await deps.transport.send({ ...deps.render(mail), id: claimed.id, to: mail.to }, signal);
  } catch (error) {
    deps.report(error);
    return { type: "unprepared" };
  }
}

interface Ending {
  readonly mail: ClaimedMail;
  readonly outcome: Outcome;
  readonly signal: AbortSignal;
}

/**
 * What was sent is sent twice if that is not written down. So a database that is away is asked again and again, for as
 * long as this process and its lease live; anything else may wait for the lease to run out.
 */
async function settle(deps: DeliveryDeps, ending: Ending): Promise<void> {
  for (let asked = 1; ; asked += 1) {
    try {
      return await record(deps, ending);
    } catch (error) {
      if (asked === 1) deps.report(error);
      if (ending.outcome.type !== "sent" || asked === RECORDS_MAX || ending.signal.aborted) return;
    }
    await delay(RECORD_EVERY_MS, undefined, { ref: false });
  }
}

/** Unless another node has the row by now: then what it finds out counts. */
async function record({ db, clock }: DeliveryDeps, { mail, outcome }: Ending): Promise<void> {
  const tables = withMailTables(db);
  const { id, tries } = mail;
  if (outcome.type === "tryAgain") {
    const dueAt = new Date(clock.nowMs() + outcome.pauseSeconds * 1_000);
    const update = tables.updateTable("mail_outbox").set({ due_at: dueAt });
    await update.where("id", "=", id).where("tries", "=", tries).execute();
    return;
  }
  await tables.deleteFrom("mail_outbox").where("id", "=", id).where("tries", "=", tries).execute();
}
