import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Interaction } from "oidc-provider";
import { z } from "zod";
import { type Clock, epochSeconds, type Sealer } from "../core/index.ts";

const LIFETIME_SECONDS = 24 * 60 * 60;
/** Far above any authorization request that fits into a URL. */
const TEXT_BYTES_MAX = 16 * 1024;

const contentSchema = z.object({
  at: z.number(),
  /** Pushed by the client, so that it has to be pushed again. */
  pushed: z.boolean(),
  params: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
});

export interface RestartContent {
  readonly params: Readonly<Record<string, string | readonly string[]>>;
  readonly pushed: boolean;
}

/**
 * An authorization request in a sealed text that a page carries along, so that a sign-in can begin again after its
 * state here is gone. It holds the request's parameters and the time; nothing of the person.
 */
export interface RestartTokens {
  issue(content: RestartContent): string;
  /** `undefined` when it was not made here, was altered, or is older than 24 hours. */
  read(token: string): RestartContent | undefined;
}

export function createRestartTokens(deps: { sealer: Sealer; clock: Clock }): RestartTokens {
  return {
    issue({ params, pushed }) {
      const text = JSON.stringify({ at: epochSeconds(deps.clock), pushed, params });
      return deps.sealer.seal("authorization-request", deflateRawSync(text)).toString("base64url");
    },
    read(token) {
      const opened = deps.sealer.open("authorization-request", Buffer.from(token, "base64url"));
      if (opened === undefined) return undefined;
      const text = inflateRawSync(opened, { maxOutputLength: TEXT_BYTES_MAX }).toString("utf8");
      // What we sealed ourselves is well formed, unless an older version of us sealed it.
      const { data: content } = contentSchema.safeParse(JSON.parse(text));
      if (content === undefined) return undefined;
      const age = epochSeconds(deps.clock) - content.at;
      return age <= LIFETIME_SECONDS ? { params: content.params, pushed: content.pushed } : undefined;
    },
  };
}

/** The token that begins the authorization request of this interaction again. */
export function restartTokenFor(restartTokens: RestartTokens, interaction: Interaction): string {
  const params = Object.entries(interaction.params).filter(
    ([name, value]) => value !== undefined && name !== "request",
  );
  const pushed = Reflect.get(interaction, "parJti") !== undefined;
  return restartTokens.issue({
    params: Object.fromEntries(params) as RestartContent["params"],
    pushed,
  });
}
