import type { Context } from "koa";
import { z } from "zod";
import { fieldMessage } from "./form.ts";
import { type FormTrouble, throttleTrouble } from "./form-trouble.ts";
import { message } from "./messages.ts";

/** The form that asks for the six digits of a mail. */
export const codeFromMailForm = z.object({
  code: z.string(fieldMessage("field.mailCode.missing")).trim().min(1, fieldMessage("field.mailCode.missing")),
});

export type CodeFromMail = z.infer<typeof codeFromMailForm>;

/** What became of a code that was not accepted. */
export type UnacceptedCode =
  | { readonly outcome: "refused" }
  | { readonly outcome: "over" }
  | { readonly outcome: "throttled"; readonly retryAfterSeconds: number };

/** What the form says to it. */
export function codeFromMailTrouble(ctx: Context, refused: UnacceptedCode): Omit<FormTrouble, "typed"> {
  if (refused.outcome === "throttled") return throttleTrouble(ctx, { ...refused, needsReset: false });
  if (refused.outcome === "over") return { status: 400, alert: message("mailCode.over") };
  return { status: 400, fieldErrors: [{ field: "code", message: message("field.mailCode.wrong") }] };
}

/** A parameter of the address; empty when it is not there once. */
export function queryText(ctx: Context, name: string): string {
  const value = ctx.query[name];
  return typeof value === "string" ? value : "";
}
