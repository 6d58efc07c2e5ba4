import { askNode } from "../../support/raw-http.ts";
import type { Deployment } from "../deployment.ts";
import type { ListeningService } from "../listening-service.ts";
import { askForTokens, type TokenEndpoint } from "../refreshing-app.ts";
import type { Issuance, TokenFacts } from "./history.ts";
import type { Random } from "./random.ts";
import { factsOf, type Recorder } from "./recorder.ts";

/** A service that verifies, and by what name the log knows it. */
export interface NamedService extends ListeningService {
  readonly name: string;
  readonly onStale: "introspect" | "reject" | "accept";
}

/** An access token that somebody got. */
export interface GotToken {
  readonly text: string;
  readonly facts: TokenFacts;
}

/** What the clients of a history have in common. */
export interface Scene {
  readonly deployment: Deployment;
  readonly services: readonly NamedService[];
  readonly recorder: Recorder;
  /** All access tokens of this round, the latest last. */
  readonly tokens: GotToken[];
  goesOn(): boolean;
}

/** A node that may be broken at the moment. */
export function anyNode({ deployment }: Scene, random: Random): string {
  const { nodes } = deployment;
  return nodes[random.below(nodes.length)]?.origin ?? "";
}

export function endpointAt({ deployment }: Scene, origin: string, path = "/token"): TokenEndpoint {
  return { url: `${origin}${path}`, host: new URL(deployment.world.latchkey.issuer).host };
}

export type Issued = { readonly access: GotToken; readonly refreshToken: string };

/** Presents a code or a refresh token to one node, and logs it. */
export async function presentToken(
  scene: Scene,
  origin: string,
  what: Pick<Issuance, "by" | "presented" | "honest"> & { readonly form: Readonly<Record<string, string>> },
): Promise<Issued | "refused" | "unknown"> {
  const { form, ...known } = what;
  const { answer, ...times } = await scene.recorder.time(() => askForTokens(endpointAt(scene, origin), form));
  const { access_token: text, refresh_token: refreshToken } = answer?.body ?? {};
  if (answer?.status === 200 && text !== undefined && refreshToken !== undefined) {
    const access = { text, facts: factsOf(text) };
    const issued = { type: "issued", token: access.facts, refreshToken } as const;
    scene.recorder.log({ type: "issuance", ...known, ...times, answer: issued });
    scene.tokens.push(access);
    return { access, refreshToken };
  }
  // A 503 may come after the change: nobody knows.
  const isRefused = answer?.body.error === "invalid_grant";
  const outcome = isRefused ? ({ type: "refused" } as const) : ({ type: "unknown", status: answer?.status } as const);
  scene.recorder.log({ type: "issuance", ...known, ...times, answer: outcome });
  return outcome.type;
}

/** RFC 7009, as the app. `undefined`: nobody knows. */
export async function revokeAt(scene: Scene, origin: string, token: string) {
  return await scene.recorder.time(async () => {
    const { url, host } = endpointAt(scene, origin, "/revoke");
    const { status } = await askNode(url, {
      method: "POST",
      headers: { host, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ client_id: "shopWeb", token }).toString(),
    });
    return status === 200 ? ("acknowledged" as const) : undefined;
  });
}

/** RFC 7662, as the orders API. */
export async function introspectAt(scene: Scene, origin: string, { text, facts }: GotToken) {
  const { orders } = scene.deployment;
  const { answer, ...times } = await scene.recorder.time(async () => {
    const { url, host } = endpointAt(scene, origin, "/introspect");
    const { status, body } = await askNode(url, {
      method: "POST",
      headers: {
        host,
        "content-type": "application/x-www-form-urlencoded",
        authorization: `Basic ${Buffer.from(`${orders.id}:${orders.secret ?? ""}`).toString("base64")}`,
      },
      body: new URLSearchParams({ token: text }).toString(),
    });
    return status === 200 ? (JSON.parse(body) as { readonly active: boolean }).active : undefined;
  });
  const outcome = answer === undefined ? "unknown" : answer ? "active" : "inactive";
  scene.recorder.log({ type: "introspection", node: origin, token: facts, ...times, answer: outcome });
  return outcome;
}

export async function verifyAt({ recorder }: Scene, service: NamedService, { text, facts }: GotToken): Promise<string> {
  const { position } = service.verifier.status();
  const startMs = recorder.now();
  const answer = await service.verify(text);
  recorder.log({
    type: "verification",
    verifier: service.name,
    onStale: service.onStale,
    token: facts,
    position: position === undefined ? undefined : Number(position),
    startMs,
    endMs: recorder.now(),
    answer,
  });
  return answer;
}
