import type { Context } from "koa";
import { z } from "zod";
import { isAppError } from "../core/index.ts";
import { type FormTrouble, message, PASSKEY_SCRIPTS, seeOther } from "../http/index.ts";
import { troubleOfNaming } from "./new-app.ts";
import { withNotice } from "./notices.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import type { Person, PersonFormStep, PersonStep, SignedInPages } from "./signed-in.ts";

export const newPasskeyForm = z.object({ response: z.string(), name: z.string() });

type Trouble = Omit<FormTrouble, "typed">;

/** Adds a passkey to the account: the one thing here that needs script. */
export function createNewPasskey(
  { factors, views }: Pick<SelfServiceDependencies, "factors" | "views">,
  pages: SignedInPages,
) {
  async function draw(ctx: Context, person: Person, trouble?: FormTrouble): Promise<void> {
    const { account, session } = person;
    const options = await factors.passkeys.creationOptions(account, session.sessionId);
    const urls = { submit: "/account/methods/passkey", cancel: "/account/methods" };
    const uiLocales = account.locale === undefined ? undefined : [account.locale];
    pages.show(ctx, person, {
      view: "enroll-passkey",
      item: "methods",
      title: message("enrollPasskey.title"),
      scripts: PASSKEY_SCRIPTS,
      data: { urls, others: [], passkeyOptions: JSON.stringify(options) },
      typed: { name: views.say(ctx, message("enrollPasskey.defaultName"), uiLocales) },
      trouble,
    });
  }

  const show: PersonStep = async (ctx, person) => {
    try {
      await draw(ctx, person);
    } catch (error) {
      if (!isAppError(error, "FACTOR_LIMIT_REACHED")) throw error;
      seeOther(ctx, withNotice("/account/methods", "method-limit"));
    }
  };

  const add: PersonFormStep<z.infer<typeof newPasskeyForm>> = async (ctx, person, form) => {
    const { account, session } = person;
    const again = (trouble: Trouble): Promise<void> =>
      draw(ctx, person, { ...trouble, typed: { name: form.typed["name"] } });
    const refused = { status: 400, alert: message("enrollPasskey.refused") };
    if (form.kind === "faulty") return again(refused);
    try {
      const attempt = { ...form.values, binding: session.sessionId, source: pages.sourceOf(ctx) };
      const outcome = await factors.passkeys.register(account.id, attempt);
      if (outcome.outcome === "refused") return await again(refused);
      const proof = outcome.isSynced ? "passkey_swk" : "passkey_hwk";
      return await pages.showNewCodes(ctx, person, { proof, url: withNotice("/account/methods", "method-added") });
    } catch (error) {
      const trouble = troubleOfNaming(error);
      if (trouble === undefined) throw error;
      return again(trouble);
    }
  };

  return { show, add };
}
