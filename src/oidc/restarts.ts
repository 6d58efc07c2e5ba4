import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Interaction } from "oidc-provider";
import { z } from "zod";
import { type Clock, epochSeconds, type Sealer } from "../core/index.ts";
import { ROUTES } from "./identity.ts";
import type { Interactions, RequestingClient } from "./interactions-port.ts";
import type { PushedRequests } from "./pushed-requests.ts";
import { PARAMETER_BYTES_MAX } from "./configuration/request-limits.ts";

const LIFETIME_SECONDS = 24 * 60 * 60;
/** All parameters that a request may have, and what is written beside them. */
const TEXT_BYTES_MAX = PARAMETER_BYTES_MAX + 1024;

const contentSchema = z.object({
  at: z.number(),
  /** Pushed by the client, so that it has to be pushed again. */
  pushed: z.boolean(),
  params: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
});

/** An authorization request that can be made again. */
export interface Restart {
  readonly clientId: string;
  readonly params: Readonly<Record<string, string | readonly string[]>>;
  readonly pushed: boolean;
}

/**
 * An authorization request in a sealed text that a page carries along, so that a sign-in can begin again after its
 * state here is gone. It holds the request's parameters and the time; nothing of the person.
 */
export interface RestartTokens {
  issue(interaction: Pick<Interaction, "params">): string;
  /** `undefined` when it was not made here, was altered, or is older than 24 hours. */
  read(token: string): Restart | undefined;
}

export function createRestartTokens(deps: { sealer: Sealer; clock: Clock }): RestartTokens {
  return {
    issue(interaction) {
      const params = Object.fromEntries(Object.entries(interaction.params).filter(([name]) => name !== "request"));
      const pushed = Reflect.get(interaction, "parJti") !== undefined;
      const text = JSON.stringify({ at: epochSeconds(deps.clock), pushed, params });
      return deps.sealer.seal("authorization-request", deflateRawSync(text)).toString("base64url");
    },
    read(token) {
      const opened = deps.sealer.open("authorization-request", Buffer.from(token, "base64url"));
      const content = opened && parseContent(opened);
      if (content === undefined || epochSeconds(deps.clock) - content.at > LIFETIME_SECONDS) return undefined;
      const { params, pushed } = content;
      const clientId = params["client_id"];
      return typeof clientId === "string" ? { clientId, params, pushed } : undefined;
    },
  };
}

/** What we sealed ourselves is well formed and not too long, unless an older version of us sealed it. */
function parseContent(opened: Buffer): z.infer<typeof contentSchema> | undefined {
  try {
    const text = inflateRawSync(opened, { maxOutputLength: TEXT_BYTES_MAX }).toString("utf8");
    return contentSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export interface RestartsDeps {
  readonly issuer: string;
  readonly restartTokens: RestartTokens;
  readonly pushedRequests: PushedRequests;
  readonly describeClient: (clientId: string) => Promise<RequestingClient | undefined>;
}

/** The commands by which pages begin an authorization request again. */
export function createRestarts(deps: RestartsDeps): Pick<Interactions, "readRestart" | "restartForAnotherAccount"> {
  /** Pushed again if it was pushed (RFC 9126): that makes another request, which may be answered, too. */
  async function authorizationUrl({ clientId, params, pushed }: Restart): Promise<string> {
    const query = new URLSearchParams();
    if (pushed) {
      query.set("client_id", clientId);
      query.set("request_uri", await deps.pushedRequests.pushAgain(clientId, params));
    } else {
      for (const [name, value] of Object.entries(params)) {
        for (const item of typeof value === "string" ? [value] : value) query.append(name, item);
      }
    }
    return `${deps.issuer}${ROUTES.authorization}?${query.toString()}`;
  }

  return {
    async readRestart(token) {
      const restart = deps.restartTokens.read(token);
      const client = restart && (await deps.describeClient(restart.clientId));
      if (restart === undefined || client === undefined) return undefined;
      return { client, url: await authorizationUrl(restart) };
    },
    async restartForAnotherAccount(token) {
      const restart = deps.restartTokens.read(token);
      if (restart === undefined) return undefined;
      return authorizationUrl({ ...restart, params: { ...restart.params, prompt: promptForSignIn(restart.params) } });
    },
  };
}

/** Asks for a sign-in, and for what else the app wants to be asked: `consent` gives it `offline_access`. */
function promptForSignIn({ prompt = "" }: Restart["params"]): string {
  const asked = typeof prompt === "string" ? prompt.split(" ") : prompt;
  const others = asked.filter((value) => !["", "none", "login", "create"].includes(value));
  return ["login", ...others].join(" ");
}

/** The page of an interaction. It carries the restart token, so that a page left open is no dead end. */
export function interactionUrl(uid: string, restartToken: string, step = ""): string {
  return `/interaction/${uid}${step}?r=${encodeURIComponent(restartToken)}`;
}

/** Where an interrupted request begins again. */
export function restartUrl(restartToken: string): string {
  return `/interaction/restart?r=${encodeURIComponent(restartToken)}`;
}
