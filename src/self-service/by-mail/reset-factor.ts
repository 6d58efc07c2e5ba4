import type { Context } from "koa";
import { z } from "zod";
import type { ResettingPerson } from "../../accounts/index.ts";
import {
  fieldMessage,
  type FieldMessageKey,
  type FormTrouble,
  type Message,
  message,
  PASSKEY_SCRIPTS,
  pauseTrouble,
  queryText,
  readForm,
  requestIdOf,
  type RouteStep,
  seeOther,
} from "../../http/index.ts";
import type { FactorKind, FactorOutcome } from "../../mfa/index.ts";
import type { SelfServiceDependencies } from "../ports.ts";
import { newPasswordUrl, resetFactorUrl } from "./reset-urls.ts";

const codeForm = (missing: FieldMessageKey) => z.object({ code: z.string(missing).trim().min(1, missing) });
const appForm = codeForm(fieldMessage("field.code.missing"));
const recoveryForm = codeForm(fieldMessage("field.recoveryCode.missing"));
const passkeyForm = z.object({ response: z.string().default("") });

type Trouble = Omit<FormTrouble, "typed">;
type Dependencies = Pick<SelfServiceDependencies, "accounts" | "factors" | "views" | "csrf" | "clientAddress">;

/** The second factor of who resets a password: reading somebody's mail is not enough where they have one (ASVS 6.4.3). */
export function createResetFactor(dependencies: Dependencies) {
  const { accounts, factors, csrf, clientAddress } = dependencies;
  const { passwordReset } = accounts.byMail;
  const sourceOf = (ctx: Context) => ({ address: clientAddress(ctx), requestId: requestIdOf(ctx) });

  const { draw, listWays } = createFactorDrawing(dependencies);

  /** Finds the person whose turn it is; whoever has nothing to prove, or has proved it, is sent on. */
  const turn =
    (kind: FactorKind, step: (ctx: Context, person: ResettingPerson) => Promise<void>): RouteStep =>
    async (ctx) => {
      const token = queryText(ctx, "token");
      const person = await passwordReset.find(token);
      const ways = await listWays(person);
      if (person.isFactorProved || ways.length === 0) return seeOther(ctx, newPasswordUrl(token));
      const [first] = ways;
      if (first !== undefined && !ways.includes(kind)) return seeOther(ctx, urlOf(ctx, first));
      await step(ctx, person);
    };

  async function accept(ctx: Context): Promise<void> {
    const token = queryText(ctx, "token");
    await passwordReset.noteFactor(token);
    seeOther(ctx, newPasswordUrl(token));
  }

  const showPasskey = async (ctx: Context, person: ResettingPerson, trouble?: Trouble): Promise<void> => {
    const options = await factors.passkeys.requestOptions(person.id, person.account.id);
    const data = { passkeyOptions: JSON.stringify(options) };
    await draw(ctx, person, { kind: "passkey", trouble, data, scripts: PASSKEY_SCRIPTS });
  };

  const takePasskey = async (ctx: Context, { id, account, ...person }: ResettingPerson): Promise<void> => {
    const form = await readForm(ctx, passkeyForm);
    csrf.check(ctx, id, form.typed["csrf"]);
    const response = form.kind === "valid" ? form.values.response : "";
    const attempt = { binding: id, response, accountId: account.id, source: sourceOf(ctx) };
    const { outcome } = await factors.passkeys.verify(attempt);
    if (outcome === "accepted") return accept(ctx);
    await showPasskey(ctx, { id, account, ...person }, { status: 400, alert: message("passkey.refused") });
  };

  /** `kind`: what the code is of. */
  const takeCode = (kind: "totp" | "recovery_code") => async (ctx: Context, person: ResettingPerson) => {
    const form = await readForm(ctx, kind === "totp" ? appForm : recoveryForm);
    csrf.check(ctx, person.id, form.typed["csrf"]);
    if (form.kind === "faulty") {
      return draw(ctx, person, { kind, trouble: { status: 400, fieldErrors: form.errors } });
    }
    const attempt = { code: form.values.code, source: sourceOf(ctx) };
    const verifier = kind === "totp" ? factors.totp : factors.recoveryCodes;
    const outcome: FactorOutcome = await verifier.verify(person.account.id, attempt);
    if (outcome.outcome === "accepted") return accept(ctx);
    await draw(ctx, person, { kind, trouble: troubleOf(ctx, outcome, PAGES[kind].wrong) });
  };

  return {
    showApp: turn("totp", (ctx, person) => draw(ctx, person, { kind: "totp" })),
    takeApp: turn("totp", takeCode("totp")),
    showPasskey: turn("passkey", (ctx, person) => showPasskey(ctx, person)),
    takePasskey: turn("passkey", takePasskey),
    showRecoveryCode: turn("recovery_code", (ctx, person) => draw(ctx, person, { kind: "recovery_code" })),
    takeRecoveryCode: turn("recovery_code", takeCode("recovery_code")),
  };
}

/** The pages of factors, as they are drawn for a reset. */
function createFactorDrawing({ factors, views, csrf }: Pick<Dependencies, "factors" | "views" | "csrf">) {
  /** What the person has, the handiest first. */
  async function listWays({ account }: ResettingPerson): Promise<readonly FactorKind[]> {
    const { totpDevices, passkeys, recoveryCodes } = await factors.overview(account.id);
    return [
      ...(totpDevices.length > 0 ? (["totp"] as const) : []),
      ...(passkeys.length > 0 ? (["passkey"] as const) : []),
      ...((recoveryCodes?.left ?? 0) > 0 ? (["recovery_code"] as const) : []),
    ];
  }

  async function draw(ctx: Context, person: ResettingPerson, { kind, trouble, data, scripts }: Drawn): Promise<void> {
    const ways = (await listWays(person)).filter((way) => way !== kind);
    const { template, title } = PAGES[kind];
    const shared = {
      isStepUp: false,
      isNeeded: false,
      trustedDays: 0,
      account: person.account,
      urls: { submit: urlOf(ctx, kind) },
      others: ways.map((way) => ({ href: urlOf(ctx, way), label: PAGES[way].label })),
      hidden: { csrf: csrf.token(person.id) },
    };
    const { status = 200, ...errors } = trouble ?? {};
    const { locale } = person.account;
    const uiLocales = locale === undefined ? undefined : [locale];
    views.render(ctx, template, { title, uiLocales, scripts, data: { ...shared, ...data }, ...errors }, { status });
  }

  return { draw, listWays };
}

interface Drawn {
  readonly kind: FactorKind;
  readonly trouble?: Trouble | undefined;
  readonly data?: object;
  readonly scripts?: readonly string[];
}

const PAGES = {
  totp: {
    path: "second-factor",
    template: "second-factor",
    title: message("secondFactor.title"),
    label: message("factor.useApp"),
    wrong: message("field.code.wrong"),
  },
  passkey: {
    path: "passkey",
    template: "passkey",
    title: message("passkey.title"),
    label: message("factor.usePasskey"),
    wrong: message("passkey.refused"),
  },
  recovery_code: {
    path: "recovery-code",
    template: "recovery-code",
    title: message("recoveryCode.title"),
    label: message("factor.useRecoveryCode"),
    wrong: message("field.recoveryCode.wrong"),
  },
} as const satisfies Record<FactorKind, object>;

function urlOf(ctx: Context, kind: FactorKind): string {
  return resetFactorUrl(PAGES[kind].path, queryText(ctx, "token"));
}

function troubleOf(
  ctx: Context,
  outcome: Exclude<FactorOutcome, { readonly outcome: "accepted" }>,
  wrong: Message,
): Trouble {
  if (outcome.outcome === "refused") return { status: 400, fieldErrors: [{ field: "code", message: wrong }] };
  return pauseTrouble(ctx, outcome);
}
