import { sql } from "kysely";
import { type Clock, randomToken, type Sealer } from "../core/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import type { MailObserver } from "./observer.ts";
import { type OutgoingMail, sealMail } from "./outgoing-mail.ts";
import { withMailTables } from "./tables.ts";
import { TEMPLATES } from "./templates/index.ts";

/** Wakes the workers of every node when the transaction that notified it commits. */
export const MAIL_CHANNEL = "latchkey_mail_outbox";

/** What waits to be sent. */
export interface MailBacklog {
  readonly waiting: number;
  /** How long the oldest of them has been waiting; 0 when there is none. */
  readonly oldestSeconds: number;
}

export interface MailOutbox {
  /** Whether mails reach anybody. Who cannot do without asks first: `enqueue` does nothing when they do not. */
  readonly isConfigured: boolean;
  /** Puts a mail down in the transaction of the change that it tells of: neither is ever there without the other. */
  enqueue(tx: Db, mail: OutgoingMail): Promise<void>;
  /** Gives up what could not be sent within its lifetime; returns how many, 500 at most. */
  sweep(): Promise<number>;
  readBacklog(): Promise<MailBacklog>;
}

export interface MailOutboxDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly isConfigured: boolean;
  readonly observer: MailObserver;
}

const ID_BYTES = 16;
/** Not more at once than one short statement holds. */
const SWEPT_MAX = 500;

export function createMailOutbox({ db, clock, sealer, isConfigured, observer }: MailOutboxDeps): MailOutbox {
  return {
    isConfigured,

    async enqueue(tx, mail) {
      if (!isConfigured) return;
      const id = randomToken(ID_BYTES);
      const now = new Date(clock.nowMs());
      const expiresAt = new Date(now.getTime() + TEMPLATES[mail.kind].lifetimeSeconds * 1_000);
      const content = sealMail(sealer, id, mail);
      await withMailTables(tx)
        .insertInto("mail_outbox")
        .values({ id, kind: mail.kind, content, created_at: now, due_at: now, expires_at: expiresAt })
        .execute();
      await sql`select pg_notify(${MAIL_CHANNEL}, '')`.execute(tx);
    },

    sweep: () =>
      guardStore(async () => {
        const expired = await takeExpired(db, new Date(clock.nowMs()));
        for (const { kind, tries } of expired) observer.settled({ kind, tries, result: "expired", reason: "expired" });
        return expired.length;
      }),

    readBacklog: () => guardStore(() => readBacklog(db, clock.nowMs())),
  };
}

function takeExpired(db: Db, now: Date) {
  const tables = withMailTables(db);
  const some = tables
    .selectFrom("mail_outbox")
    .select("id")
    .where("expires_at", "<=", now)
    .limit(SWEPT_MAX)
    .forUpdate()
    .skipLocked();
  return tables.deleteFrom("mail_outbox").where("id", "in", some).returning(["kind", "tries"]).execute();
}

async function readBacklog(db: Db, nowMs: number): Promise<MailBacklog> {
  const row = await withMailTables(db)
    .selectFrom("mail_outbox")
    .select(({ fn }) => [fn.countAll<string | number>().as("waiting"), fn.min("created_at").as("oldest")])
    .executeTakeFirstOrThrow();
  const oldest: Date | null = row.oldest;
  const oldestSeconds = oldest === null ? 0 : Math.max(0, (nowMs - oldest.getTime()) / 1_000);
  return { waiting: Number(row.waiting), oldestSeconds };
}
