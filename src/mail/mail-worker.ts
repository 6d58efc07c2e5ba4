import type { Clock, Sealer } from "../core/index.ts";
import { createOutboxWorker, type OutboxWorker } from "../outbox/index.ts";
import type { Db } from "../storage/index.ts";
import { MAIL_TABLE } from "./mail-table.ts";
import { type MailObserver, toMailSettled } from "./observer.ts";
import { openMail } from "./outgoing-mail.ts";
import type { RenderMail } from "./render-mail.ts";
import { isMailKind, MAIL_KINDS } from "./templates/index.ts";
import type { MailTransport } from "./transport.ts";

/** Sends what waits in the outbox. Every node has one; no two of them have the same mail. */
export type MailWorker = OutboxWorker;

export interface MailWorkerDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly render: RenderMail;
  readonly transport: MailTransport;
  readonly observer: MailObserver;
  /** Told of failures of our own side. */
  readonly report: (error: unknown) => void;
}

/** How many mails one node has under way: each on a connection of its own, so that one that hangs holds no other up. */
export const PLACES_MAX = 8;
/** Longer than a try can take, and what a mail waits for when the node that held it died. */
export const LEASE_MS = 90_000;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const PAUSES_SECONDS = [5, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR] as const;

export function createMailWorker({
  db,
  clock,
  sealer,
  render,
  transport,
  observer,
  report,
}: MailWorkerDeps): MailWorker {
  return createOutboxWorker({
    db,
    clock,
    table: MAIL_TABLE,
    report,
    limits: { placesMax: PLACES_MAX, leaseMs: LEASE_MS, pausesSeconds: PAUSES_SECONDS },
    lanes: () => MAIL_KINDS,
    settled: (row) => observer.settled(toMailSettled(row)),
    async attempt({ id, lane, content }, signal) {
      const mail = isMailKind(lane) ? openMail(sealer, { id, kind: lane, content }) : undefined;
      if (mail === undefined) return { type: "unprepared" };
      return transport.send({ ...render(mail), id, to: mail.to }, signal);
    },
  });
}
