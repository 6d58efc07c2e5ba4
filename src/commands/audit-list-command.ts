import { z } from "zod";
import {
  type AuditFilter,
  type EventJson,
  isAuditEventType,
  type StoredAuditEvent,
  toEventJson,
} from "../audit/index.ts";
import { AppError } from "../core/index.ts";
import { getAccount } from "./account-lookup.ts";
import { type Command, defineCommand, type Invocation, type Services } from "./command.ts";
import { showable } from "./showable.ts";
import { layOutTable } from "./text-layout.ts";

const moment = z.iso.datetime();

const wanted = z.strictObject({
  /** An id, also of an account that is gone, or the address of one that is there. */
  account: z.string().optional(),
  kinds: z.array(z.string()).optional(),
  client: z.string().optional(),
  since: moment.optional(),
  until: moment.optional(),
});

const input = z.union([
  wanted.extend({ limit: z.number(), before: z.string().optional() }),
  /** What came since, in the order of the chain; `after` is absent the first time. */
  wanted.extend({ follow: z.strictObject({ after: z.string().optional() }) }),
]);

const goingOn = z.object({ follow: z.object({ after: z.string() }) });

/** Whether somebody who follows asks for more, as they do all the time. */
export function goesOn({ input: given }: Invocation): boolean {
  return goingOn.safeParse(given).success;
}

type Wanted = z.infer<typeof wanted>;
type Filter = Omit<AuditFilter, "limit" | "before">;

async function filterOf({ accounts }: Pick<Services, "accounts">, given: Wanted): Promise<Filter> {
  const { account, kinds, client, since, until } = given;
  const unknown = kinds?.find((kind) => !isAuditEventType(kind));
  if (unknown !== undefined) {
    throw new AppError("INPUT_INVALID", {
      detail: `there is no event ${JSON.stringify(unknown)} (docs/audit-events.md)`,
    });
  }
  // The events of an account that was deleted are kept under its id.
  const accountId = account?.includes("@") === true ? (await getAccount(accounts, account)).id : account;
  return {
    accountId,
    types: kinds?.filter(isAuditEventType),
    clientId: client,
    since: since === undefined ? undefined : new Date(since),
    until: until === undefined ? undefined : new Date(until),
  };
}

const READ_AT_ONCE = 500;
/** A look at a long log must not keep a server that answers others. */
const READS_MAX = 10;

/** The next events that are wanted, and the position to go on behind. */
async function readOn({ auditChain }: Services, filter: Filter, after: string | undefined) {
  let position = after ?? (await beginOf(auditChain, filter));
  const events: StoredAuditEvent[] = [];
  for (let reads = 0; reads < READS_MAX && events.length < READ_AT_ONCE; reads += 1) {
    const page = await auditChain.readSealed({ after: position, limit: READ_AT_ONCE });
    events.push(...page.events.filter((event) => matches(event, filter)));
    if (page.position === position) return { events, after: position, isMore: false };
    position = page.position;
  }
  return { events, after: position, isMore: true };
}

async function beginOf(chain: Services["auditChain"], { since }: Filter): Promise<string> {
  return since === undefined ? chain.readPosition() : chain.readPositionBefore(since);
}

function matches(event: StoredAuditEvent, { accountId, types, clientId, since }: Filter): boolean {
  if (accountId !== undefined && event.accountId !== accountId) return false;
  if (types !== undefined && !types.includes(event.type)) return false;
  if (clientId !== undefined && event.clientId !== clientId) return false;
  return since === undefined || event.occurredAt >= since;
}

const listEvents = defineCommand({
  name: "audit list",
  input,
  async run(services, given) {
    const filter = await filterOf(services, given);
    if ("follow" in given) {
      const { events, ...rest } = await readOn(services, filter, given.follow.after);
      return { events: events.map(toEventJson), ...rest };
    }
    const { limit, before } = given;
    const events = await services.audit.list({ ...filter, limit, before });
    return { events: events.map(toEventJson), next: events.length === limit ? events.at(-1)?.id : undefined };
  },
  describe(result) {
    if (result.events.length === 0) return "There are no such events.";
    const table = layOutTable(HEADINGS, result.events.map(cellsOf));
    const next = "next" in result ? result.next : undefined;
    return next === undefined ? table : `${table}\n\nThere may be more: --before ${next}`;
  },
});

const HEADINGS = ["TIME", "EVENT", "OUTCOME", "BY", "ACCOUNT", "CLIENT", "ADDRESS", "DATA"];

function cellsOf(event: EventJson): readonly string[] {
  const { occurredAt, type, outcome, actor, accountId = "-", clientId = "-", address = "-", data } = event;
  const time = `${occurredAt.slice(0, 19).replace("T", " ")}Z`;
  return [time, type, outcome, actor, accountId, clientId, address, describeData(data)];
}

/** One event on a line of its own, for what is shown as it comes. */
export function describeEvent(event: EventJson): string {
  return cellsOf(event)
    .map(showable)
    .map((cell, column) => cell.padEnd(WIDTHS[column] ?? 0))
    .join("  ")
    .trimEnd();
}

const WIDTHS = [20, 24, 9, 8, 22, 12, 15];

function describeData(data: EventJson["data"]): string {
  return Object.entries(data)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(",") : String(value)}`)
    .join(" ");
}

export const auditListCommands: readonly Command[] = [listEvents];
