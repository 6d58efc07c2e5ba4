import type { Context } from "koa";
import { z } from "zod";
import { isAppError } from "../core/index.ts";
import { type FormTrouble, fieldMessage, type Message, message, seeOther } from "../http/index.ts";
import type { EnrolledDevice, EnrolledPasskey, FactorOverview } from "../mfa/index.ts";
import { withNotice } from "./notices.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import type { Person, PersonFormStep, PersonStep, SignedInPages } from "./signed-in.ts";

/** Ids of factors; anything else is none, and need not reach the database. */
const factorId = z.string().regex(/^[\w-]{1,1400}$/);

export const removalForm = z.object({ id: factorId });

export const renamingForm = z.object({ id: factorId, name: z.string(fieldMessage("field.deviceName.invalid")) });

const METHODS = "/account/methods";

type Dependencies = Pick<SelfServiceDependencies, "factors" | "factorPolicy" | "clock">;

/** How the person signs in: what there is, and changing and removing it. Adding is `new-app.ts` and `new-passkey.ts`. */
export function createMethods({ factors, factorPolicy, clock }: Dependencies, pages: SignedInPages) {
  const show: PersonStep = async (ctx, person) => {
    const { totpDevices, passkeys, recoveryCodes } = await factors.overview(person.account.id);
    const nowMs = clock.nowMs();
    const data = {
      passkeys: passkeys.map((passkey) => describePasskey(passkey, nowMs)),
      apps: totpDevices.map((device) => describe(device, nowMs)),
      passwordChanged: message("methods.changed", {
        when: { atMs: person.account.passwordChangedAt.getTime(), nowMs },
      }),
      recoveryCodes: recoveryCodes && describeCodes(recoveryCodes),
      hasSecondStep: factorPolicy !== "off" || totpDevices.length > 0,
    };
    pages.show(ctx, person, { view: "account-methods", item: "methods", title: message("methods.title"), data });
  };

  async function find(person: Person, id: unknown): Promise<NamedFactor | undefined> {
    return namedFactors(await factors.overview(person.account.id)).find((factor) => factor.id === id);
  }

  const showRenaming: PersonStep = async (ctx, person) => {
    const factor = await find(person, ctx.query["id"]);
    if (factor === undefined) return seeOther(ctx, METHODS);
    drawRenaming(ctx, person, { factor });
  };

  function drawRenaming(
    ctx: Context,
    person: Person,
    { factor, trouble }: { readonly factor: NamedFactor; readonly trouble?: FormTrouble },
  ): void {
    const page = { view: "account-method-name", item: "methods", title: message("methods.rename.title") } as const;
    pages.show(ctx, person, { ...page, data: { factor }, typed: { name: factor.name }, trouble });
  }

  const rename: PersonFormStep<z.infer<typeof renamingForm>> = async (ctx, person, form) => {
    const factor = await find(person, form.typed["id"]);
    if (factor === undefined) return seeOther(ctx, METHODS);
    try {
      await factors.rename(person.account.id, factor.id, form.typed["name"] ?? "");
      seeOther(ctx, withNotice(METHODS, "method-renamed"));
    } catch (error) {
      if (!isAppError(error, "INPUT_INVALID")) throw error;
      const fieldErrors = [{ field: "name", message: message("field.deviceName.invalid") }];
      drawRenaming(ctx, person, { factor, trouble: { status: 400, fieldErrors, typed: form.typed } });
    }
  };

  const showRemoval: PersonStep = async (ctx, person) => {
    const overview = await factors.overview(person.account.id);
    const factor = namedFactors(overview).find(({ id }) => id === ctx.query["id"]);
    if (factor === undefined) return seeOther(ctx, METHODS);
    const data = { factor, consequence: consequenceOf(overview, factorPolicy) };
    const title = message("methods.remove.title", { name: factor.name });
    pages.show(ctx, person, { view: "account-method-remove", item: "methods", title, data });
  };

  const remove: PersonFormStep<z.infer<typeof removalForm>> = async (ctx, person, form) => {
    const factor = await find(person, form.typed["id"]);
    // Pressed twice, or removed elsewhere: it is gone, as the person wanted.
    if (factor === undefined) return seeOther(ctx, METHODS);
    await factors.remove(person.account.id, factor.id, pages.sourceOf(ctx));
    seeOther(ctx, withNotice(METHODS, "method-removed"));
  };

  return { show, showRenaming, rename, showRemoval, remove };
}

interface NamedFactor {
  readonly id: string;
  readonly name: string;
}

function namedFactors({ totpDevices, passkeys }: FactorOverview): readonly NamedFactor[] {
  return [...totpDevices, ...passkeys];
}

function describe({ id, name, addedAt, lastUsedAt }: EnrolledDevice, nowMs: number) {
  const added = { atMs: addedAt.getTime(), nowMs };
  const times: Message =
    lastUsedAt === undefined
      ? message("methods.added", { added })
      : message("methods.addedAndUsed", { added, used: { atMs: lastUsedAt.getTime(), nowMs } });
  return { id, name, times };
}

function describePasskey(passkey: EnrolledPasskey, nowMs: number) {
  const { authenticator, isSynced, isBackedUp } = passkey;
  const shared = isBackedUp ? message("methods.passkey.synced") : message("methods.passkey.notBackedUp");
  const where = isSynced ? shared : message("methods.passkey.oneDevice");
  return { ...describe(passkey, nowMs), authenticator, where };
}

function describeCodes({ left, total, isUnconfirmed }: NonNullable<FactorOverview["recoveryCodes"]>) {
  return {
    isUnconfirmed,
    isLow: left <= 2,
    left: message("methods.codes.left", { left: String(left), total: String(total) }),
  };
}

/** What removing one of them means. With the last go the recovery codes. */
function consequenceOf(overview: FactorOverview, policy: SelfServiceDependencies["factorPolicy"]): Message {
  if (namedFactors(overview).length > 1) return message("methods.remove.others");
  return policy === "required" ? message("methods.remove.lastRequired") : message("methods.remove.last");
}
