import type { Context } from "koa";
import { z } from "zod";
import type { ConfirmationOrigin } from "../../accounts/index.ts";
import { AppError } from "../../core/index.ts";
import {
  codeFromMailForm,
  codeFromMailTrouble,
  fieldMessage,
  type FormTrouble,
  message,
  queryText,
  readForm,
  requestIdOf,
  type RouteStep,
  seeOther,
  troubleOfLimits,
} from "../../http/index.ts";
import type { SelfServiceDependencies } from "../ports.ts";
import { troubleOfEmail } from "./form-troubles.ts";
import { newPasswordUrl, RESET_PAGE } from "./reset-urls.ts";
import { originOf, signInUrlOf, withRestart } from "./way-back.ts";

const noEmail = fieldMessage("field.email.invalid");
const emailForm = z.object({ email: z.string(noEmail).trim().min(1, noEmail) });

type Dependencies = Pick<SelfServiceDependencies, "accounts" | "views" | "csrf" | "clientAddress" | "browserSessions">;

/** The first half of a reset: the address, and the code of the mail that went there. Whether it has an account, nothing tells. */
export function createResetRequest(dependencies: Dependencies) {
  const { accounts, views, csrf, clientAddress, browserSessions } = dependencies;
  const sourceOf = (ctx: Context) => ({ address: clientAddress(ctx), requestId: requestIdOf(ctx) });

  /** Nobody is sent into what they cannot finish. */
  function ensureAvailable(): void {
    if (!accounts.byMail.isAvailable) throw new AppError("PAGE_NOT_FOUND", { detail: "no mail is configured" });
  }

  function drawRequest(ctx: Context, trouble?: FormTrouble): void {
    const { status = 200, ...errors } = trouble ?? {};
    const origin = originOf(ctx);
    const urls = { submitUrl: withRestart(RESET_PAGE, origin), backUrl: signInUrlOf(browserSessions, origin) };
    const data = { ...urls, hidden: { csrf: csrf.token(RESET_PAGE) } };
    views.render(ctx, "reset-password", { title: message("reset.title"), data, ...errors }, { status });
  }

  async function drawCode(ctx: Context, trouble?: FormTrouble): Promise<void> {
    const id = queryText(ctx, "id");
    const pending = await accounts.byMail.findPending(id, ["password_reset"]);
    if (pending === undefined) return seeOther(ctx, RESET_PAGE);
    const { status = 200, ...errors } = trouble ?? {};
    const urls = { submitUrl: codeUrl(id, originOf(ctx)), againUrl: withRestart(RESET_PAGE, originOf(ctx)) };
    const data = { ...urls, email: pending.email, hidden: { csrf: csrf.token(id) } };
    views.render(ctx, "mail-code", { title: message("mailCode.title"), data, ...errors }, { status });
  }

  const showRequest: RouteStep = async (ctx) => {
    ensureAvailable();
    drawRequest(ctx);
  };

  const request: RouteStep = async (ctx) => {
    ensureAvailable();
    const form = await readForm(ctx, emailForm);
    const { typed } = form;
    csrf.check(ctx, RESET_PAGE, typed["csrf"]);
    if (form.kind === "faulty") return drawRequest(ctx, { status: 400, fieldErrors: form.errors, typed });
    try {
      const asked: Asked = { email: form.values.email, locale: views.localeFor(ctx), origin: originOf(ctx) };
      const id = await accounts.byMail.passwordReset.begin({ ...asked, source: sourceOf(ctx) });
      seeOther(ctx, codeUrl(id, asked.origin));
    } catch (error) {
      const trouble = troubleOfEmail(error) ?? troubleOfLimits(ctx, error);
      if (trouble === undefined) throw error;
      drawRequest(ctx, { ...trouble, typed });
    }
  };

  const takeCode: RouteStep = async (ctx) => {
    const form = await readForm(ctx, codeFromMailForm);
    const id = queryText(ctx, "id");
    csrf.check(ctx, id, form.typed["csrf"]);
    if (form.kind === "faulty") return drawCode(ctx, { status: 400, fieldErrors: form.errors, typed: {} });
    const attempt = { id, purposes: ["password_reset"], code: form.values.code, source: sourceOf(ctx) } as const;
    const outcome = await accounts.byMail.takeCode(attempt);
    if (outcome.outcome === "accepted") return seeOther(ctx, newPasswordUrl(outcome.token));
    await drawCode(ctx, { ...codeFromMailTrouble(ctx, outcome), typed: {} });
  };

  return { showRequest, request, showCode: (async (ctx) => drawCode(ctx)) satisfies RouteStep, takeCode };
}

interface Asked {
  readonly email: string;
  readonly locale: string;
  readonly origin: ConfirmationOrigin;
}

function codeUrl(id: string, { restartToken }: ConfirmationOrigin): string {
  const carried = restartToken === undefined ? "" : `&r=${encodeURIComponent(restartToken)}`;
  return `${RESET_PAGE}/code?id=${encodeURIComponent(id)}${carried}`;
}
