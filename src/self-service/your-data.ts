import type { StoredAuditEvent } from "../audit/index.ts";
import { message } from "../http/index.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import type { PersonStep, SignedInPages } from "./signed-in.ts";

const EVENTS_READ_AT_ONCE = 1_000;
/** A stranger who tries passwords for years must not make somebody's copy too large to be given out. */
const EVENTS_MAX = 20_000;

type Dependencies = Pick<SelfServiceDependencies, "audit" | "sessions" | "allowedClients" | "factors" | "clock">;

/** A copy of what is held about the person (GDPR, articles 15 and 20): no secrets, and no hashes of them. */
export function createYourData(dependencies: Dependencies, pages: SignedInPages) {
  const { sessions, allowedClients, factors, clock } = dependencies;

  const show: PersonStep = async (ctx, person) => {
    pages.show(ctx, person, { view: "account-data", item: "profile", title: message("data.title") });
  };

  const download: PersonStep = async (ctx, { account }) => {
    const { id } = account;
    const [living, allowed, described, activity] = await Promise.all([
      sessions.list(id),
      allowedClients.list(id),
      factors.overview(id),
      listActivity(dependencies, id),
    ]);
    const consents = allowed.map(({ client, access, allowedAt }) => ({
      client: { id: client.id, name: client.name },
      access,
      allowedAt,
    }));
    const copy = { madeAt: new Date(clock.nowMs()), account, sessions: living, consents, signInMethods: described };
    ctx.set("Content-Disposition", 'attachment; filename="account.json"');
    ctx.set("Cache-Control", "no-store");
    ctx.type = "json";
    ctx.body = `${JSON.stringify({ ...copy, ...activity }, null, 2)}\n`;
  };

  return { show, download };
}

interface Activity {
  /** The newest first. */
  readonly activity: readonly Omit<StoredAuditEvent, "accountId">[];
  readonly activityIsComplete: boolean;
}

async function listActivity({ audit }: Pick<Dependencies, "audit">, accountId: string): Promise<Activity> {
  const events: StoredAuditEvent[] = [];
  while (events.length < EVENTS_MAX) {
    const page = await audit.list({ accountId, limit: EVENTS_READ_AT_ONCE, before: events.at(-1)?.id });
    events.push(...page);
    if (page.length < EVENTS_READ_AT_ONCE) return { activity: events, activityIsComplete: true };
  }
  return { activity: events, activityIsComplete: false };
}
