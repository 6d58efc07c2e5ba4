import type { Context } from "koa";

/** Answers with a small text: a file to keep, or with `print` in the address a plain page to print. Never cached. */
export function answerTextFile(ctx: Context, name: string, lines: readonly string[]): void {
  ctx.type = "text/plain; charset=utf-8";
  if (ctx.query["print"] === undefined) ctx.attachment(name);
  ctx.set("Cache-Control", "no-store");
  ctx.body = `${lines.join("\n")}\n`;
}
