import type { Context } from "koa";
import { z } from "zod";
import type { RequestSource } from "../accounts/index.ts";
import { isAppError } from "../core/index.ts";
import { fieldMessage, message, requestIdOf, seeOther, type SentForm } from "../http/index.ts";
import type { PendingInteraction } from "../oidc/index.ts";
import type { InteractionDependencies } from "./ports.ts";
import { type FormTrouble, looksLikeEmail, type RequestPages } from "./request-pages.ts";

export const signInForm = z.object({
  email: z
    .string(fieldMessage("field.email.invalid"))
    .trim()
    .refine(looksLikeEmail, fieldMessage("field.email.invalid")),
  password: z.string(fieldMessage("field.password.missing")).min(1, fieldMessage("field.password.missing")),
});

export type SignInForm = SentForm<z.infer<typeof signInForm>>;

/** Where an attempt comes from, for the throttle. */
export function sourceOf(ctx: Context, clientAddress: InteractionDependencies["clientAddress"]): RequestSource {
  return { address: clientAddress(ctx), requestId: requestIdOf(ctx) };
}

/** Takes e-mail and password: on to the app, or the page again with what to do. */
export function createSignIn(dependencies: InteractionDependencies, pages: RequestPages) {
  const { accounts, interactions, clientAddress } = dependencies;
  return async (ctx: Context, interaction: PendingInteraction, form: SignInForm): Promise<void> => {
    const { typed } = form;
    if (form.kind === "faulty") {
      return pages.showSignIn(ctx, interaction, { status: 400, fieldErrors: form.errors, typed });
    }
    try {
      const source = sourceOf(ctx, clientAddress);
      const result = await accounts.signIn({ ...form.values, source, clientId: interaction.client.id });
      if (result.outcome === "accepted") {
        const authentication = { accountId: result.account.id, methods: ["pwd"] };
        return seeOther(ctx, await interactions.completeSignIn(ctx, interaction, authentication));
      }
      const trouble =
        result.outcome === "throttled"
          ? waitTrouble(ctx, { reason: "throttled", retryAfterSeconds: result.retryAfterSeconds })
          : { status: 400, alert: message("signIn.mismatch") };
      return await pages.showSignIn(ctx, interaction, { ...trouble, typed });
    } catch (error) {
      const trouble = troubleOfLimits(ctx, error);
      if (trouble === undefined) throw error;
      return pages.showSignIn(ctx, interaction, { ...trouble, typed });
    }
  };
}

/** What the form says when a limit was reached; `undefined` when the error is about something else. */
export function troubleOfLimits(ctx: Context, error: unknown): Omit<FormTrouble, "typed"> | undefined {
  if (!isAppError(error)) return undefined;
  const { code, retryAfterSeconds = DEFAULT_WAIT_SECONDS } = error;
  if (code === "THROTTLED") return waitTrouble(ctx, { reason: "throttled", retryAfterSeconds });
  if (code === "SESSION_LIMIT_REACHED") return { status: error.status, alert: message("signIn.tooManySessions") };
  if (code === "HASHING_BUSY") return waitTrouble(ctx, { reason: "busy", retryAfterSeconds });
  return undefined;
}

const DEFAULT_WAIT_SECONDS = 5;

interface Wait {
  readonly reason: "throttled" | "busy";
  readonly retryAfterSeconds: number;
}

function waitTrouble(ctx: Context, { reason, retryAfterSeconds }: Wait): Omit<FormTrouble, "typed"> {
  ctx.set("Retry-After", String(Math.ceil(retryAfterSeconds)));
  const when = { inSeconds: retryAfterSeconds };
  return reason === "throttled"
    ? { status: 429, alert: message("signIn.throttled", { when }) }
    : { status: 503, alert: message("signIn.busy", { when }) };
}
