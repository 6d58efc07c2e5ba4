import type { Context } from "koa";
import { errors, type Interaction, type InteractionResults, type Provider } from "oidc-provider";
import { type Clock, epochSeconds } from "../core/index.ts";
import { currentRequestScope, incompleteEnding, newGrantId, newTag } from "./adapter/index.ts";
import type { Consents } from "./consents.ts";
import { askedScopes, describeInteraction, type DescriptionDeps } from "./describe-interaction.ts";
import { addScopes } from "./grants.ts";
import { ACR_PASSWORD } from "./identity.ts";
import { SIGN_IN_MEMBER } from "./models.ts";
import type { Interactions, PendingInteraction } from "./interactions-port.ts";
import type { PushedRequests } from "./pushed-requests.ts";
import { createRestarts } from "./restarts.ts";
import type { Sessions } from "../sessions/index.ts";

export interface InteractionsDeps extends DescriptionDeps {
  readonly provider: Provider;
  readonly consents: Consents;
  readonly pushedRequests: PushedRequests;
  readonly sessions: Pick<Sessions, "begin" | "endHeld" | "checkRoom">;
  readonly clock: Clock;
}

/** The commands of the hosted pages, carried out on the library. */
export function createInteractions(deps: InteractionsDeps): Interactions {
  const { provider } = deps;

  async function read(ctx: Context): Promise<Interaction | undefined> {
    try {
      return await provider.interactionDetails(ctx.req, ctx.res);
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    }
  }

  /**
   * Ends the session of whoever else was signed in in this browser, unless there is no room for this person's. The library would do so with a form that submits
   * itself, which needs script, and from which `form-action` lets nobody get to an app on another site.
   *
   * @returns the session that goes on, where it is this person's already.
   */
  async function makeWayFor(ctx: Context, accountId: string): Promise<string | undefined> {
    const session = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
    if (session.accountId === accountId) return session.uid;
    // Said at the page, where the person can do something about it. What decides is the beginning of the session.
    await deps.sessions.checkRoom(accountId);
    if (session.accountId === undefined) return undefined;
    const interaction = await read(ctx);
    const { isComplete } = await deps.sessions.endHeld(session.uid, "replaced");
    if (!isComplete) throw incompleteEnding();
    if (interaction?.session === undefined) return undefined;
    // What waits is no longer bound to the session that it began in.
    delete interaction.session;
    await interaction.save(interaction.exp - epochSeconds(deps.clock));
    return undefined;
  }

  /**
   * Notes the session that begins when the browser comes back, from now on: so that whoever ends all of the account's
   * sessions ends this one with them. Who has somebody's password could otherwise keep a proof of it for an hour, and
   * come in when that person believes to have thrown everybody out.
   */
  async function noteSession(clientId: string, person: { accountId: string; acr: string; amr: string[] }) {
    const id = newTag();
    await deps.sessions.begin({ ...currentRequestScope()?.origin, id, clientId, ...person });
    return id;
  }

  async function finish(ctx: Context, interaction: PendingInteraction, result: InteractionResults): Promise<string> {
    // An earlier sign-in in this chain must not be applied again over a new one; consent comes on top of it.
    const mergeWithLastSubmission = "consent" in result;
    const returnTo = await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission });
    // The request travels along, so that even a resumption that finds nothing can begin again.
    return `${returnTo}?r=${interaction.restartToken}`;
  }

  return {
    async find(ctx, uid) {
      const interaction = await read(ctx);
      if (interaction === undefined || interaction.uid !== uid) return undefined;
      return describeInteraction(deps, interaction);
    },
    async completeSignIn(ctx, interaction, { accountId, methods }) {
      const person = { accountId, acr: ACR_PASSWORD, amr: [...methods] };
      const signIn = (await makeWayFor(ctx, accountId)) ?? (await noteSession(interaction.client.id, person));
      const login = { ...person, ts: epochSeconds(deps.clock), remember: true, [SIGN_IN_MEMBER]: signIn };
      const created = interaction.page === "create-account" ? { create: {} } : {};
      return finish(ctx, interaction, { ...created, login });
    },
    async allow(ctx, interaction) {
      const stored = await read(ctx);
      const session = stored?.session;
      if (stored === undefined || session === undefined) throw new errors.SessionNotFound("the interaction is over");
      const scopes = askedScopes(stored);
      const grant = stored.grantId === undefined ? undefined : await provider.Grant.find(stored.grantId);
      const allowed = grant ?? new provider.Grant({ accountId: session.accountId, clientId: interaction.client.id });
      allowed.jti ??= newGrantId(session.uid);
      addScopes(allowed, scopes);
      const grantId = await allowed.save();
      await deps.consents.give(session.accountId, interaction.client.id, scopes);
      return finish(ctx, interaction, { consent: { grantId } });
    },
    deny: (ctx, interaction) =>
      finish(ctx, interaction, { error: "access_denied", error_description: "the person did not allow it" }),
    ...createRestarts({ ...deps, issuer: provider.issuer }),
  };
}
