import type { Context } from "koa";
import { z } from "zod";
import { answerTextFile, fieldMessage, type FormTrouble, message, seeOther } from "../http/index.ts";
import { hasFactors } from "../mfa/index.ts";
import { withNotice } from "./notices.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import type { Person, PersonFormStep, PersonStep, SignedInPages } from "./signed-in.ts";

export const savedForm = z.object({ saved: z.literal("1", fieldMessage("field.saved.missing")) });

const METHODS = "/account/methods";
const CODES = "/account/recovery-codes";

/** Recovery codes: shown once, until the person says that they are saved; and made anew. */
export function createRecoveryCodes({ factors }: Pick<SelfServiceDependencies, "factors">, pages: SignedInPages) {
  async function draw(ctx: Context, person: Person, trouble?: FormTrouble): Promise<void> {
    const { id, email } = person.account;
    const codes = await factors.recoveryCodes.reveal(id);
    if (codes === undefined) return seeOther(ctx, METHODS);
    const madeOn = (await factors.overview(id)).recoveryCodes?.madeAt ?? new Date(0);
    const urls = { submit: CODES, download: `${CODES}.txt`, print: `${CODES}.txt?print=1` };
    pages.show(ctx, person, {
      view: "recovery-codes",
      item: "methods",
      title: message("recoveryCodes.title"),
      data: { urls, others: [], codes, madeOn, account: { email } },
      trouble,
    });
  }

  const download: PersonStep = async (ctx, { account }) => {
    const codes = await factors.recoveryCodes.reveal(account.id);
    if (codes === undefined) return seeOther(ctx, METHODS);
    answerTextFile(ctx, "recovery-codes.txt", codes);
  };

  const confirm: PersonFormStep<z.infer<typeof savedForm>> = async (ctx, person, form) => {
    if (form.kind === "faulty") return draw(ctx, person, { status: 400, fieldErrors: form.errors, typed: {} });
    await factors.recoveryCodes.confirmSaved(person.account.id);
    seeOther(ctx, withNotice(METHODS, "codes-saved"));
  };

  const replace: PersonFormStep<unknown> = async (ctx, person) => {
    const { id } = person.account;
    // Codes stand in for another factor, and are of no use alone.
    if (!hasFactors(await factors.overview(id))) return seeOther(ctx, METHODS);
    await factors.recoveryCodes.replace(id, pages.sourceOf(ctx));
    seeOther(ctx, CODES);
  };

  return { show: (ctx: Context, person: Person) => draw(ctx, person), download, confirm, replace };
}
