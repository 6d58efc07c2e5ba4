import type { Context } from "koa";
import { type Message, message } from "../http/index.ts";

/**
 * What a page says at its top after a form was answered with a redirect. The address carries the name and never the
 * words: a link from anybody could otherwise put sentences into our mouth.
 */
const NOTICES = {
  profile: message("notice.profile"),
  password: message("notice.password"),
  "password-and-others": message("notice.passwordAndOthers"),
  "email-verified": message("notice.emailVerified"),
  "email-changed": message("notice.emailChanged"),
  "device-ended": message("notice.deviceEnded"),
  "others-ended": message("notice.othersEnded"),
  "app-removed": message("notice.appRemoved"),
  "method-added": message("notice.methodAdded"),
  "method-renamed": message("notice.methodRenamed"),
  "method-removed": message("notice.methodRemoved"),
  "method-limit": message("factor.limit"),
  "codes-saved": message("notice.codesSaved"),
} as const satisfies Record<string, Message>;

export type Notice = keyof typeof NOTICES;

/** The address of a page that says so at its top. */
export function withNotice(path: string, notice: Notice): string {
  return `${path}?done=${notice}`;
}

export function noticeOf(ctx: Context): Message | undefined {
  const { done } = ctx.query;
  return typeof done === "string" && isNotice(done) ? NOTICES[done] : undefined;
}

function isNotice(name: string): name is Notice {
  return Object.hasOwn(NOTICES, name);
}
