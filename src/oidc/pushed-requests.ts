import type { Context } from "koa";
import { errors, type KoaContextWithOIDC, type Provider } from "oidc-provider";
import { UnsecuredJWT } from "jose";
import { type Clock, epochSeconds } from "../core/index.ts";
import type { Clients } from "../clients/index.ts";
import type { ProtocolState } from "./adapter/index.ts";
import { isFormPost } from "./form-post.ts";
import { INTERACTION_SECONDS } from "./configuration/lifetimes.ts";

const REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:";
const PUSHED_REQUEST_SECONDS = 60;
/** Longer than one request can be under way: an hour for each page, of which none leads through more than three. */
const ANSWERED_SECONDS = 4 * INTERACTION_SECONDS;

/**
 * Pushed authorization requests (RFC 9126), each of which is answered once, whatever number of browsers opened it
 * (section 7.3).
 */
export interface PushedRequests {
  /** Pushes a client's request anew. Returns the `request_uri`. */
  pushAgain(clientId: string, params: Readonly<Record<string, unknown>>): Promise<string>;
  /**
   * Ends the pushed request that this error answered; a code has ended it before. While the person is at one of our
   * pages it waits, so that reloading the first of them works.
   */
  endAnswered(ctx: Context): Promise<void>;
}

export interface PushedRequestsDeps {
  readonly provider: Provider;
  readonly state: Pick<ProtocolState, "claimReplayId">;
  readonly clients: Pick<Clients, "findClient">;
  readonly clock: Clock;
}

export function createPushedRequests({ provider, state, clients, clock }: PushedRequestsDeps): PushedRequests {
  const claim = (id: string): Promise<boolean> => state.claimReplayId(`par:${id}`, ANSWERED_SECONDS);
  issueCodesOnce(provider, claim);

  return {
    async pushAgain(clientId, params) {
      const now = epochSeconds(clock);
      const request = new UnsecuredJWT({ ...params })
        .setIssuedAt(now)
        .setNotBefore(now)
        .setExpirationTime(now + PUSHED_REQUEST_SECONDS)
        .setIssuer(clientId)
        .setAudience(provider.issuer)
        .encode();
      const client = await clients.findClient(clientId);
      const trusted = client !== undefined && client.authMethod !== "none";
      const pushed = new provider.PushedAuthorizationRequest({ request });
      return REQUEST_URI_PREFIX + (await Object.assign(pushed, { trusted }).save(PUSHED_REQUEST_SECONDS));
    },
    async endAnswered(ctx) {
      const { oidc } = ctx as Partial<KoaContextWithOIDC>;
      const id = pushedRequestOf(oidc);
      if (id === undefined || oidc?.entities.AuthorizationCode !== undefined || !answersClient(ctx)) return;
      await claim(id);
      await provider.PushedAuthorizationRequest.adapter.destroy(id);
    },
  };
}

/**
 * The library marks the stored request as used, which is gone after 60 seconds while the person may still be at a
 * page. So a code takes the request's id as well, in one atomic step, before there is a code.
 */
function issueCodesOnce(provider: Provider, claim: (id: string) => Promise<boolean>): void {
  const { prototype } = provider.AuthorizationCode;
  const save = Reflect.get(prototype, "save");
  prototype.save = async function saveOnce() {
    const id = pushedRequestOf((provider.constructor as typeof Provider).ctx?.oidc);
    if (id !== undefined && !(await claim(id))) throw new errors.InvalidRequestUri("the request_uri was used already");
    return save.call(this);
  };
}

/** The pushed request that is being answered: by its own address, or by the interaction that it led to. */
function pushedRequestOf(oidc: KoaContextWithOIDC["oidc"] | undefined): string | undefined {
  if (oidc?.route !== "authorization" && oidc?.route !== "resume") return undefined;
  const { PushedAuthorizationRequest, Interaction } = oidc.entities;
  // The library's types leave this member out.
  const origin: unknown = Interaction && Reflect.get(Interaction, "parJti");
  return PushedAuthorizationRequest?.jti ?? (typeof origin === "string" ? origin : undefined);
}

/** The browser goes to the client with it, and not to a page of ours. */
function answersClient(ctx: Context): boolean {
  const { location } = ctx.response.headers;
  return typeof location === "string" ? !location.startsWith("/interaction/") : isFormPost(ctx);
}
