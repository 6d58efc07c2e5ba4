import { z } from "zod";
import { AppError } from "../core/index.ts";
import { deviceInWords, type Message, message, placeInWords, seeOther } from "../http/index.ts";
import type { RequestingClient } from "../oidc/index.ts";
import type { SessionSummary } from "../sessions/index.ts";
import { deviceIcon, methodsInWords } from "./device-words.ts";
import { withNotice } from "./notices.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import type { PersonFormStep, PersonStep, SignedInPages } from "./signed-in.ts";

export const noFields = z.object({});

/** What session ids are made of: anything else is none, and need not reach the database. */
export const endForm = z.object({ session: z.string().regex(/^[\w-]{1,64}$/) });

type Dependencies = Pick<SelfServiceDependencies, "sessions" | "allowedClients" | "clock" | "placeOf">;

/** Where the person is signed in, and how to end that. */
export function createDevices(dependencies: Dependencies, pages: SignedInPages) {
  const { sessions, allowedClients } = dependencies;

  const show: PersonStep = async (ctx, person) => {
    const list = await sessions.list(person.account.id);
    const clients = await allowedClients.describe(list.flatMap(({ clientIds }) => clientIds));
    const devices = list
      .map((session) => describe(session, { clients, currentId: person.session.sessionId }))
      .toSorted((left, right) => Number(right.isCurrent) - Number(left.isCurrent));
    const others = devices.filter(({ isCurrent }) => !isCurrent).length;
    const data = { devices, ...(others === 0 ? {} : { others: countOf(others) }) };
    pages.show(ctx, person, { view: "account-devices", item: "devices", title: message("devices.title"), data });
  };

  function describe(session: SessionSummary, { clients, currentId }: Surroundings) {
    const nowMs = dependencies.clock.nowMs();
    const names = session.clientIds.flatMap((id) => clients.get(id)?.name ?? []);
    return {
      id: session.id,
      isCurrent: session.id === currentId,
      icon: deviceIcon(session.device),
      name: deviceInWords(session.device),
      place: placeInWords(session, dependencies.placeOf),
      lastUsed: message("devices.lastUsed", { when: { atMs: session.lastUsedAt.getTime(), nowMs } }),
      signedIn: signedInWords(session, nowMs),
      apps: names.length === 0 ? undefined : message("devices.apps", { apps: { list: names.toSorted() } }),
    };
  }

  const end: PersonFormStep<z.infer<typeof endForm>> = async (ctx, { account }, form) => {
    if (form.kind === "faulty") throw new AppError("SESSION_NOT_FOUND");
    await sessions.end(account.id, form.values.session, "ended_by_person");
    seeOther(ctx, withNotice("/account/devices", "device-ended"));
  };

  const endOthers: PersonFormStep<unknown> = async (ctx, { account, session }) => {
    await sessions.endOthers(account.id, session.sessionId, "ended_by_person");
    seeOther(ctx, withNotice("/account/devices", "others-ended"));
  };

  return { show, end, endOthers };
}

interface Surroundings {
  readonly clients: ReadonlyMap<string, RequestingClient>;
  /** The session of the browser that looks. */
  readonly currentId: string;
}

function signedInWords({ createdAt, amr }: SessionSummary, nowMs: number): Message {
  const when = { atMs: createdAt.getTime(), nowMs };
  const how = methodsInWords(amr);
  return how === undefined ? message("devices.signedIn", { when }) : message("devices.signedInHow", { when, how });
}

interface OthersInWords {
  readonly lede: Message;
  readonly button: Message;
}

function countOf(others: number): OthersInWords {
  if (others === 1) return { lede: message("devices.others.one"), button: message("devices.others.one.button") };
  const count = String(others);
  return {
    lede: message("devices.others.many", { count }),
    button: message("devices.others.many.button", { count }),
  };
}
