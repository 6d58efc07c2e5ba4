import type { Context } from "koa";
import { errors, type Interaction, type InteractionResults, type Provider } from "oidc-provider";
import { AppError, type Clock, epochSeconds } from "../core/index.ts";
import { assuranceOf } from "../mfa/index.ts";
import type { Sessions } from "../sessions/index.ts";
import { currentRequestScope, incompleteEnding, newTag } from "./adapter/index.ts";
import type { PendingInteraction, ProvedSignIn, SignInProgress } from "./interactions-port.ts";
import { SIGN_IN_MEMBER } from "./models.ts";

/** The interaction of a browser; `undefined` when it is over or another browser's. */
export type ReadInteraction = (ctx: Context) => Promise<Interaction | undefined>;

export function createInteractionReader(provider: Provider): ReadInteraction {
  return async (ctx) => {
    try {
      return await provider.interactionDetails(ctx.req, ctx.res);
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    }
  };
}

export interface SignInCompletionDeps {
  readonly provider: Provider;
  readonly sessions: Pick<Sessions, "begin" | "endHeld" | "checkRoom">;
  readonly clock: Clock;
  readonly read: ReadInteraction;
}

/** Who signs in, as the library notes it. */
interface Person {
  readonly accountId: string;
  readonly acr: string;
  readonly amr: string[];
}

function personOf({ accountId, proofs }: SignInProgress): Person {
  const { acr, amr } = assuranceOf(proofs);
  return { accountId, acr, amr: [...amr] };
}

/** Turns what a person proved into the result that the library makes a session of. */
export function createSignInCompletion(deps: SignInCompletionDeps) {
  const { provider, read } = deps;

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
  async function noteSession(clientId: string, person: Person, isNewBrowser: boolean): Promise<string> {
    const id = newTag();
    await deps.sessions.begin({ ...currentRequestScope()?.origin, id, clientId, isNewBrowser, ...person });
    return id;
  }

  /** What the session rests on, and one more proof. When the person signed in does not change by it. */
  async function stepUp(
    ctx: Context,
    { person, isFresh }: { readonly person: Person; readonly isFresh: boolean },
  ): Promise<InteractionResults> {
    const session = await provider.Session.get(provider.createContext(ctx.req, ctx.res));
    if (session.accountId !== person.accountId) throw new errors.SessionNotFound("the session is over");
    const login = {
      ...person,
      ts: isFresh ? epochSeconds(deps.clock) : session.loginTs,
      remember: session.transient !== true,
      [SIGN_IN_MEMBER]: session.uid,
    };
    return { login };
  }

  return {
    async complete(
      ctx: Context,
      { page, client }: PendingInteraction,
      { progress, stillHolds, isNewBrowser }: ProvedSignIn,
    ): Promise<InteractionResults> {
      const person = personOf(progress);
      if (page === "step-up") return stepUp(ctx, { person, isFresh: progress.isOfSession !== true });
      const { accountId } = person;
      const signIn = (await makeWayFor(ctx, accountId)) ?? (await noteSession(client.id, person, isNewBrowser));
      if (!(await stillHolds())) throw new AppError("INTERACTION_EXPIRED", { detail: "what was proved holds no more" });
      const login = { ...person, ts: epochSeconds(deps.clock), remember: true, [SIGN_IN_MEMBER]: signIn };
      return page === "create-account" ? { create: {}, login } : { login };
    },
  };
}
