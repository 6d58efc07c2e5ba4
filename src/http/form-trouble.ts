import type { Context } from "koa";
import { isAppError } from "../core/index.ts";
import type { FieldError, FormFields } from "./form.ts";
import { type Message, message } from "./messages.ts";

const DEFAULT_WAIT_SECONDS = 5;

/** What went wrong with a form that is shown again. */
export interface FormTrouble {
  readonly status: number;
  readonly alert?: Message;
  readonly fieldErrors?: readonly FieldError[];
  readonly typed: FormFields;
}

type TroubleAlone = Omit<FormTrouble, "typed">;

/** What the form says when a limit was reached; `undefined` when the error is about something else. */
export function troubleOfLimits(ctx: Context, error: unknown): TroubleAlone | undefined {
  if (!isAppError(error)) return undefined;
  const { code, retryAfterSeconds = DEFAULT_WAIT_SECONDS } = error;
  if (code === "THROTTLED") return waitTrouble(ctx, { reason: "throttled", retryAfterSeconds });
  if (code === "SESSION_LIMIT_REACHED") return { status: error.status, alert: message("signIn.tooManySessions") };
  if (code === "HASHING_BUSY") return waitTrouble(ctx, { reason: "busy", retryAfterSeconds });
  return undefined;
}

interface Wait {
  readonly reason: keyof typeof WAITS;
  readonly retryAfterSeconds: number;
}

/** When to try again after too many passwords; or, where waiting does not help, what does. */
export function throttleTrouble(
  ctx: Context,
  { retryAfterSeconds, needsReset }: { readonly retryAfterSeconds: number; readonly needsReset: boolean },
): TroubleAlone {
  return waitTrouble(ctx, { reason: needsReset ? "passwordLocked" : "throttled", retryAfterSeconds });
}

/** The same of codes. */
export function pauseTrouble(
  ctx: Context,
  { retryAfterSeconds, isSpent }: { readonly retryAfterSeconds: number; readonly isSpent?: true },
): TroubleAlone {
  return waitTrouble(ctx, { reason: isSpent ? "codesLocked" : "paused", retryAfterSeconds });
}

/** `paused`: codes of a second factor are not looked at for a while. */
const WAITS = {
  throttled: { status: 429, key: "signIn.throttled" },
  passwordLocked: { status: 429, key: "signIn.passwordLocked" },
  busy: { status: 503, key: "signIn.busy" },
  paused: { status: 429, key: "factor.paused" },
  codesLocked: { status: 429, key: "factor.locked" },
} as const;

function waitTrouble(ctx: Context, { reason, retryAfterSeconds }: Wait): TroubleAlone {
  ctx.set("Retry-After", String(Math.ceil(retryAfterSeconds)));
  const { status, key } = WAITS[reason];
  return { status, alert: message(key, { when: { inSeconds: retryAfterSeconds } }) };
}
