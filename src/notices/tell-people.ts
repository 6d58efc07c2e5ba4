import type { Account } from "../accounts/index.ts";
import type { Audit, AuditEvent } from "../audit/index.ts";
import type { Clock } from "../core/index.ts";
import { placeInWords } from "../http/index.ts";
import type { MailOutbox } from "../mail/index.ts";
import type { Db } from "../storage/index.ts";
import { type Happening, NOTICES } from "./notice-table.ts";

export interface NoticesDeps {
  readonly mail: Pick<MailOutbox, "isConfigured" | "enqueue">;
  readonly clock: Clock;
  /** Both read within the transaction: on the embedded database there is no other connection. */
  readonly findAccount: (tx: Db, id: string) => Promise<Pick<Account, "email" | "locale"> | undefined>;
  readonly findClientName: (tx: Db, id: string) => Promise<string | undefined>;
  /** The device that sent the request which is under way; nobody's where there is none, as for a command. */
  readonly currentDevice: () => string | undefined;
  /** Roughly where an address is; nobody knows when absent. */
  readonly placeOf: ((address: string) => string | undefined) | undefined;
}

/** The audit log, which tells people by mail of what `NOTICES` lists, in the transaction of the event. */
export function tellPeople(audit: Audit, deps: NoticesDeps): Audit {
  return {
    ...audit,
    async append(tx, event) {
      await audit.append(tx, event);
      if (deps.mail.isConfigured) await enqueueNotice(deps, tx, event);
    },
  };
}

async function enqueueNotice(deps: NoticesDeps, tx: Db, event: AuditEvent): Promise<void> {
  const describe = NOTICES[event.type];
  if (describe === undefined || event.accountId === undefined) return;
  const client = event.clientId === undefined ? undefined : await deps.findClientName(tx, event.clientId);
  const notice = describe(event, { happening: happeningOf(deps, event), client });
  if (notice === undefined) return;
  const account = await deps.findAccount(tx, event.accountId);
  if (account === undefined) return;
  await deps.mail.enqueue(tx, { ...notice, to: account.email, locale: account.locale });
}

function happeningOf({ clock, currentDevice, placeOf }: NoticesDeps, event: AuditEvent): Happening {
  const device = currentDevice();
  const place = placeInWords(event, placeOf);
  return {
    atMs: clock.nowMs(),
    ...(device === undefined ? {} : { device }),
    ...(place === undefined ? {} : { place }),
  };
}
