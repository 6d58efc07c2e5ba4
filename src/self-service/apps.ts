import type { Context } from "koa";
import { z } from "zod";
import {
  accessInWords,
  allowImageFrom,
  deviceInWords,
  initialOf,
  type Message,
  message,
  seeOther,
} from "../http/index.ts";
import type { RequestingClient } from "../oidc/index.ts";
import type { SessionSummary } from "../sessions/index.ts";
import { withNotice } from "./notices.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import type { PersonFormStep, PersonStep, SignedInPages } from "./signed-in.ts";

export const withdrawForm = z.object({ client: z.string() });

type Dependencies = Pick<SelfServiceDependencies, "sessions" | "allowedClients" | "clock">;

/** Which apps use the account: those that the person allowed something, and those of whoever runs this site. */
export function createApps({ sessions, allowedClients, clock }: Dependencies, pages: SignedInPages) {
  const show: PersonStep = async (ctx, person) => {
    const { account } = person;
    const nowMs = clock.nowMs();
    const [allowed, living] = await Promise.all([allowedClients.list(account.id), sessions.list(account.id)]);
    const used = await allowedClients.describe(living.flatMap(({ clientIds }) => clientIds));
    const apps = allowed.map(({ client, access, allowedAt }) => ({
      client: showable(ctx, client),
      access: accessInWords(access, account),
      since: message("apps.since", { day: { dateMs: allowedAt.getTime() } }),
      lastUsed: lastUseOf(client.id, living, nowMs),
      devices: devicesOf(client.id, living),
    }));
    const firstParty = [...used.values()].filter(({ isFirstParty }) => isFirstParty);
    const own = firstParty.map((client) => ({
      client: showable(ctx, client),
      lastUsed: lastUseOf(client.id, living, nowMs),
      devices: devicesOf(client.id, living),
    }));
    const data = { apps, own };
    pages.show(ctx, person, { view: "account-apps", item: "apps", title: message("apps.title"), data });
  };

  const withdraw: PersonFormStep<z.infer<typeof withdrawForm>> = async (ctx, { account }, form) => {
    const clientId = form.kind === "valid" ? form.values.client : undefined;
    const isAllowed = (await allowedClients.list(account.id)).some(({ client }) => client.id === clientId);
    // Sent twice, or an app that needs no consent: there is nothing to withdraw, and nothing to boast of.
    if (clientId === undefined || !isAllowed) return seeOther(ctx, "/account/apps");
    await sessions.withdrawConsent(account.id, clientId);
    seeOther(ctx, withNotice("/account/apps", "app-removed"));
  };

  return { show, withdraw };
}

/** A logo is shown only from https, as the policy demands. */
function showable(ctx: Context, { id, name, host, logoUri }: RequestingClient) {
  const logo = logoUri?.startsWith("https://") === true ? logoUri : undefined;
  if (logo !== undefined) allowImageFrom(ctx, logo);
  return { id, name, host, initial: initialOf(name), logoUri: logo };
}

/** When it got tokens last, in any session that is alive. */
function lastUseOf(clientId: string, living: readonly SessionSummary[], nowMs: number): Message | undefined {
  const uses = living.flatMap(({ clientUses }) => clientUses.filter((use) => use.clientId === clientId));
  if (uses.length === 0) return undefined;
  return message("apps.lastUsed", {
    when: { atMs: Math.max(...uses.map(({ lastUsedAt }) => lastUsedAt.getTime())), nowMs },
  });
}

/** Where the app is in use now. */
function devicesOf(clientId: string, living: readonly SessionSummary[]): Message {
  const devices = living.filter(({ clientIds }) => clientIds.includes(clientId)).map(({ device }) => device);
  const [first, ...others] = [...new Set(devices)];
  if (devices.length === 0) return message("apps.noDevice");
  const device = deviceInWords(first);
  if (others.length === 0) return message("apps.oneDevice", { device });
  return message("apps.severalDevices", { device, count: String(others.length) });
}
