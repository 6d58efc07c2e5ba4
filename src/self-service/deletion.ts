import type { Context } from "koa";
import { z } from "zod";
import { fieldMessage, type FormTrouble, message, seeOther } from "../http/index.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import type { Person, PersonFormStep, SignedInPages } from "./signed-in.ts";

export const deletionForm = z.object({ email: z.string(fieldMessage("field.confirmEmail.wrong")).trim() });

type DeletionForm = z.infer<typeof deletionForm>;

/** Closes the account for good. Typing the address is to make sure that nobody does so by mistake. */
export function createDeletion(
  { accounts, browserSessions }: Pick<SelfServiceDependencies, "accounts" | "browserSessions">,
  pages: SignedInPages,
) {
  const showForm = (ctx: Context, person: Person, trouble?: FormTrouble): void => {
    pages.show(ctx, person, { view: "account-delete", item: "profile", title: message("delete.title"), trouble });
  };

  const remove: PersonFormStep<DeletionForm> = async (ctx, person, { typed, ...form }) => {
    const { account } = person;
    const isConfirmed = form.kind === "valid" && form.values.email.toLowerCase() === account.email.toLowerCase();
    if (!isConfirmed) {
      const fieldErrors = [{ field: "email", message: message("field.confirmEmail.wrong") }];
      return showForm(ctx, person, { status: 400, fieldErrors, typed });
    }
    await accounts.remove(account.id, pages.sourceOf(ctx));
    // Nothing is left of the session but the cookie.
    await browserSessions.end(ctx);
    seeOther(ctx, "/signed-out?done=account-deleted");
  };

  return { showForm: async (ctx: Context, person: Person) => showForm(ctx, person), remove };
}
