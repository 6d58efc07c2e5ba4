import type { Context } from "koa";
import type { StoredAuditEvent } from "../audit/index.ts";
import { dayOf, deviceInWords, message, placeInWords } from "../http/index.ts";
import type { SessionSummary } from "../sessions/index.ts";
import { eventInWords, type EventInWords, TOLD_EVENT_TYPES } from "./activity-words.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import type { PersonStep, SignedInPages } from "./signed-in.ts";

const DAYS_SHOWN = 90;
const DAY_MS = 24 * 60 * 60 * 1000;
const EVENTS_A_PAGE = 40;

type Dependencies = Pick<
  SelfServiceDependencies,
  "audit" | "sessions" | "allowedClients" | "clock" | "placeOf" | "views"
>;

/** What happened to the account, for its person to find what they did not do themselves. */
export function createActivity(dependencies: Dependencies, pages: SignedInPages) {
  const { audit, sessions, allowedClients, clock } = dependencies;

  const show: PersonStep = async (ctx, person) => {
    const { id: accountId } = person.account;
    const since = new Date(clock.nowMs() - DAYS_SHOWN * DAY_MS);
    const page = { accountId, types: TOLD_EVENT_TYPES, since, before: pageBefore(ctx), limit: EVENTS_A_PAGE + 1 };
    const [found, living] = await Promise.all([audit.list(page), sessions.list(accountId)]);
    const events = found.slice(0, EVENTS_A_PAGE);
    const clients = await allowedClients.describe(events.flatMap(({ clientId }) => clientId ?? []));
    const entries = events.flatMap((event) => {
      const words = eventInWords(event, clients.get(event.clientId ?? "")?.name ?? "");
      return words === undefined ? [] : [entryOf(event, words, living)];
    });
    const older = found.length > EVENTS_A_PAGE ? `/account/activity?before=${events.at(-1)?.id ?? ""}` : undefined;
    const data = { days: groupByDay(together(entries)), older, nowMs: clock.nowMs() };
    pages.show(ctx, person, { view: "account-activity", item: "activity", title: message("activity.title"), data });
  };

  /** The device is known for as long as its session lives; the log keeps the address alone. */
  function entryOf(event: StoredAuditEvent, words: EventInWords, living: readonly SessionSummary[]): Entry {
    const session = living.find(({ id }) => id === event.sessionId);
    const place = placeInWords({ address: event.address ?? session?.address }, dependencies.placeOf);
    const device = session?.device === undefined ? undefined : deviceInWords(session.device);
    return { ...words, type: event.type, atMs: event.occurredAt.getTime(), place, device, times: 1 };
  }

  const showAdvice: PersonStep = async (ctx, person) => {
    pages.show(ctx, person, { view: "account-not-me", item: "activity", title: message("notMe.title") });
  };

  return { show, showAdvice };
}

interface Entry extends EventInWords {
  readonly type: string;
  readonly atMs: number;
  readonly place: string | undefined;
  readonly device: ReturnType<typeof deviceInWords> | undefined;
  /** How often it happened in a row. */
  readonly times: number;
}

interface Day {
  readonly atMs: number;
  readonly entries: readonly Entry[];
}

/** Where the page begins; the newest come first for anything that is no id. */
function pageBefore(ctx: Context): string | undefined {
  const { before } = ctx.query;
  return typeof before === "string" && /^\d{1,18}$/.test(before) ? before : undefined;
}

/** What somebody tried again and again is one entry: a list of a hundred hides what stands between. */
function together(entries: readonly Entry[]): readonly Entry[] {
  const result: Entry[] = [];
  for (const entry of entries) {
    const last = result.at(-1);
    const isAgain = last !== undefined && last.tone === "bad" && isSame(last, entry);
    if (isAgain) result.splice(-1, 1, { ...last, times: last.times + 1 });
    else result.push(entry);
  }
  return result;
}

function isSame(left: Entry, right: Entry): boolean {
  return left.type === right.type && left.place === right.place && dayOf(left.atMs) === dayOf(right.atMs);
}

function groupByDay(entries: readonly Entry[]): readonly Day[] {
  const days = Map.groupBy(entries, ({ atMs }) => dayOf(atMs));
  return [...days.values()].map((ofDay) => ({ atMs: ofDay[0]?.atMs ?? 0, entries: ofDay }));
}
