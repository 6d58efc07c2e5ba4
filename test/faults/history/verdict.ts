import { sql } from "kysely";
import { expect } from "vitest";
import type { Deployment } from "../deployment.ts";
import { startListening } from "../listening-service.ts";
import { askForTokens } from "../refreshing-app.ts";
import type { RecordedRevocation, Trial } from "./history.ts";
import type { Family, SignIn } from "./person.ts";
import { anyNode, endpointAt, type GotToken, introspectAt, type NamedService, type Scene, verifyAt } from "./scene.ts";
import type { Random } from "./random.ts";

const HEALED = { timeout: 60_000, interval: 50 };
/** A token that expires while it is looked at says nothing about revocation. */
const LIFE_LEFT_SECONDS_MIN = 60;
const TOKEN_SECONDS = 300;
const TRIED_AT_ONCE = 8;

/** Everything answers again, and what was left of endings is completed, without anybody's help. */
export async function waitUntilHealed({ deployment, services }: Scene): Promise<void> {
  const { db } = deployment.world.latchkey.database;
  for (const { origin } of deployment.nodes) {
    await expect.poll(() => isReady(origin), HEALED).toBe(true);
  }
  const countWaiting = async (): Promise<number> => {
    const { rows } = await sql<{ count: string }>`select count(*) from sessions where cleared < endings`.execute(db);
    return Number(rows[0]?.count);
  };
  await expect.poll(countWaiting, HEALED).toBe(0);
  const lastId = String((await readRecords(deployment, 0)).at(-1)?.id ?? 0);
  const isUpToDate = ({ verifier }: NamedService): boolean => {
    const { revocations, position = "0" } = verifier.status();
    return revocations === "live" && Number(position) >= Number(lastId);
  };
  await expect
    .poll(() => services.filter((service) => !isUpToDate(service)).map(({ name }) => name), HEALED)
    .toEqual([]);
}

async function isReady(origin: string): Promise<boolean> {
  return await fetch(`${origin}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

export async function readRecords({ world }: Deployment, after: number): Promise<readonly RecordedRevocation[]> {
  const { rows } = await sql<{
    id: string;
    kind: string;
    value: string;
    issued_before: string | null;
    audiences: string[] | null;
  }>`
    select id, kind, value, issued_before, audiences from revocations where id > ${after} order by id`.execute(
    world.latchkey.database.db,
  );
  return rows.map(({ id, kind, value, issued_before: bound, audiences }) => ({
    id: Number(id),
    kind,
    value,
    issuedBefore: bound === null ? undefined : Number(bound),
    audiences: audiences ?? undefined,
  }));
}

/** Tries every token and every cookie everywhere, also at services that have only just begun to listen. */
export async function tryEverything(scene: Scene, signIns: readonly SignIn[], random: Random): Promise<void> {
  const fresh = await startFreshServices(scene);
  try {
    const services = [...scene.services, ...fresh];
    const left = scene.tokens.filter(isStillGood).values();
    // Several at once, each taking the next that is left.
    const triers = Array.from({ length: TRIED_AT_ONCE }, async () => {
      for (const token of left) await tryAccessToken(scene, services, token);
    });
    await Promise.all(triers);
  } finally {
    for (const service of fresh) await service.close();
  }
  for (const signIn of signIns) {
    await tryCookie(scene, signIn);
    for (const family of signIn.families) await tryFamily(scene, random, family);
  }
}

function isStillGood({ facts }: GotToken): boolean {
  return facts.iat + TOKEN_SECONDS - LIFE_LEFT_SECONDS_MIN > Date.now() / 1_000;
}

async function startFreshServices({ deployment }: Scene): Promise<readonly NamedService[]> {
  return Promise.all(
    deployment.nodes.map(async ({ origin }, place) => {
      const service = await startListening(deployment, { onStale: "accept", feedOrigin: origin, restOrigin: origin });
      return { ...service, name: `a new service at node ${place}`, onStale: "accept" as const };
    }),
  );
}

async function tryAccessToken(scene: Scene, services: readonly NamedService[], token: GotToken): Promise<void> {
  const log = trialLog(scene, { of: "access_token", sid: token.facts.sid, token: token.facts });
  for (const service of services) {
    const answer = await verifyAt(scene, service, token);
    // Any other refusal than this would say nothing about revocation.
    if (answer !== "accepted" && answer !== "token_revoked") throw new Error(`${service.name} says ${answer}`);
    log(service.name, answer === "accepted");
  }
  for (const { origin } of scene.deployment.nodes) {
    const answer = await introspectAt(scene, origin, token);
    if (answer === "unknown") throw new Error("a node that is whole does not answer");
    log(origin, answer === "active");
  }
}

async function tryCookie(scene: Scene, { browser, families }: SignIn): Promise<void> {
  const request = await scene.deployment.world.apps.notesWeb.begin({ prompt: "none" });
  const { url } = await browser.open(request.url);
  const isUsable = url.searchParams.has("code");
  if (!isUsable && url.searchParams.get("error") !== "login_required") throw new Error(`the browser is at ${url.href}`);
  trialLog(scene, { of: "cookie", sid: families[0]?.sid ?? "" })("the issuer", isUsable);
}

/** A token that was consumed would end the family now, and so only the living one is tried, or one of which the app is not sure. */
async function tryFamily(scene: Scene, random: Random, family: Family): Promise<void> {
  const { sid, grant, state } = family;
  const origin = anyNode(scene, random);
  const form = { grant_type: "refresh_token", client_id: "shopWeb", refresh_token: family.refreshTokens.at(-1) ?? "" };
  const { status, body } = await askForTokens(endpointAt(scene, origin), form);
  const isUsable = status === 200;
  if (!isUsable && body.error !== "invalid_grant")
    throw new Error(`a refresh was answered with ${status} ${body.error}`);
  // An app that never got its answer may have waited for longer than the window.
  if (state === "living" || isUsable) trialLog(scene, { of: "refresh_token", sid, grant })(origin, isUsable);
}

function trialLog({ recorder }: Scene, about: Pick<Trial, "of" | "sid" | "grant" | "token">) {
  return (at: string, isUsable: boolean): void => {
    const now = recorder.now();
    const answer = isUsable ? "usable" : "refused";
    recorder.log({ type: "trial", ...about, at, answer, startMs: now, endMs: now });
  };
}
