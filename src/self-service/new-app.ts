import type { Context } from "koa";
import { z } from "zod";
import { isAppError } from "../core/index.ts";
import { fieldMessage, type FormTrouble, message, qrCodeImage, seeOther, pauseTrouble } from "../http/index.ts";
import { withNotice } from "./notices.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import type { Person, PersonFormStep, PersonStep, SignedInPages } from "./signed-in.ts";

export const newAppForm = z.object({
  code: z.string(fieldMessage("field.code.missing")).trim().min(1, fieldMessage("field.code.missing")),
  name: z.string(fieldMessage("field.deviceName.invalid")),
});

type Trouble = Omit<FormTrouble, "typed">;

type Dependencies = Pick<SelfServiceDependencies, "factors" | "factorPolicy" | "views">;

/** Adds an authenticator app to the account. */
export function createNewApp({ factors, factorPolicy, views }: Dependencies, pages: SignedInPages) {
  async function draw(ctx: Context, person: Person, trouble?: FormTrouble): Promise<void> {
    const { secret, uri } = await factors.totp.beginEnrollment(person.account, person.session.sessionId);
    const keyGroups = secret.toLowerCase().match(/.{1,4}/g) ?? [];
    const urls = { submit: "/account/methods/app", cancel: "/account/methods" };
    const { locale } = person.account;
    const name = views.say(ctx, message("enrollApp.defaultName"), locale === undefined ? undefined : [locale]);
    pages.show(ctx, person, {
      view: "enroll-app",
      item: "methods",
      title: message("enrollApp.title"),
      data: { urls, others: [], qrCode: await qrCodeImage(uri), keyGroups },
      typed: { name },
      trouble,
    });
  }

  const show: PersonStep = async (ctx, person) => {
    if (factorPolicy === "off") return seeOther(ctx, "/account/methods");
    await draw(ctx, person);
  };

  const add: PersonFormStep<z.infer<typeof newAppForm>> = async (ctx, person, form) => {
    if (factorPolicy === "off") return seeOther(ctx, "/account/methods");
    const again = (trouble: Trouble): Promise<void> =>
      draw(ctx, person, { ...trouble, typed: { name: form.typed["name"] } });
    if (form.kind === "faulty") return again({ status: 400, fieldErrors: form.errors });
    try {
      const attempt = { ...form.values, binding: person.session.sessionId, source: pages.sourceOf(ctx) };
      const outcome = await factors.totp.confirmEnrollment(person.account.id, attempt);
      if (outcome.outcome === "accepted")
        return await pages.showNewCodes(ctx, person, {
          proof: "totp",
          url: withNotice("/account/methods", "method-added"),
        });
      if (outcome.outcome === "expired") return await again({ status: 400, alert: message("enrollApp.expired") });
      if (outcome.outcome === "paused") return await again(pauseTrouble(ctx, outcome));
      return await again({ status: 400, fieldErrors: [{ field: "code", message: message("field.code.wrong") }] });
    } catch (error) {
      const trouble = troubleOfNaming(error);
      if (trouble === undefined) throw error;
      return again(trouble);
    }
  };

  return { show, add };
}

/** What is wrong with a name, or with one more. */
export function troubleOfNaming(error: unknown): Trouble | undefined {
  if (isAppError(error, "FACTOR_LIMIT_REACHED")) return { status: error.status, alert: message("factor.limit") };
  if (!isAppError(error, "INPUT_INVALID")) return undefined;
  return { status: 400, fieldErrors: [{ field: "name", message: message("field.deviceName.invalid") }] };
}
