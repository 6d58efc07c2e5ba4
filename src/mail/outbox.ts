import { type Clock, randomToken, type Sealer } from "../core/index.ts";
import { type Backlog, createOutbox } from "../outbox/index.ts";
import type { Db } from "../storage/index.ts";
import { MAIL_TABLE } from "./mail-table.ts";
import { type MailObserver, toMailSettled } from "./observer.ts";
import { type OutgoingMail, sealMail } from "./outgoing-mail.ts";
import { TEMPLATES } from "./templates/index.ts";

export interface MailOutbox {
  /** Whether mails reach anybody. Who cannot do without asks first: `enqueue` does nothing when they do not. */
  readonly isConfigured: boolean;
  /** Puts a mail down in the transaction of the change that it tells of: neither is ever there without the other. */
  enqueue(tx: Db, mail: OutgoingMail): Promise<void>;
  /** Gives up what could not be sent within its lifetime; returns how many, 500 at most. */
  sweep(): Promise<number>;
  readBacklog(): Promise<Backlog>;
}

export interface MailOutboxDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly isConfigured: boolean;
  readonly observer: MailObserver;
}

const ID_BYTES = 16;

export function createMailOutbox({ db, clock, sealer, isConfigured, observer }: MailOutboxDeps): MailOutbox {
  const settled = (row: Parameters<typeof toMailSettled>[0]): void => observer.settled(toMailSettled(row));
  const outbox = createOutbox({ db, clock, table: MAIL_TABLE, settled });
  return {
    isConfigured,

    async enqueue(tx, mail) {
      if (!isConfigured) return;
      const id = randomToken(ID_BYTES);
      const { lifetimeSeconds } = TEMPLATES[mail.kind];
      await outbox.put(tx, [{ id, lane: mail.kind, content: sealMail(sealer, id, mail), lifetimeSeconds }]);
    },

    sweep: () => outbox.sweep(),
    readBacklog: () => outbox.readBacklog(),
  };
}
