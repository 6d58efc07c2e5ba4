import type { Context } from "koa";
import { z } from "zod";
import { type Account, AccountFieldInvalidError } from "../accounts/index.ts";
import { catalogues, fieldMessage, type FormTrouble, type Message, message, seeOther } from "../http/index.ts";
import { withNotice } from "./notices.ts";
import type { SelfServiceDependencies } from "./ports.ts";
import type { Person, PersonFormStep, PersonStep, SignedInPages } from "./signed-in.ts";
import { NEWS_MS, NEWS_TYPES, type StandingNote, standingOf } from "./standing.ts";

export const profileForm = z.object({
  name: z.string(fieldMessage("field.name.missing")).trim().min(1, fieldMessage("field.name.missing")),
  /** Empty: whatever the browser asks for. */
  locale: z.string(fieldMessage("field.locale.invalid")),
});

const NEWS_READ = 20;

type Dependencies = Pick<SelfServiceDependencies, "accounts" | "audit" | "factors" | "clock">;

type ProfileForm = z.infer<typeof profileForm>;

/** Who the person is, and how that can be changed. */
export function createProfile(dependencies: Dependencies, pages: SignedInPages) {
  const { accounts, audit, factors, clock } = dependencies;

  async function listNotes({ account }: Person): Promise<readonly StandingNote[]> {
    const nowMs = clock.nowMs();
    const since = new Date(nowMs - NEWS_MS);
    const news = await audit.list({ accountId: account.id, types: NEWS_TYPES, since, limit: NEWS_READ });
    return standingOf({ news, overview: await factors.overview(account.id) }, nowMs);
  }

  const showOverview: PersonStep = async (ctx, person) => {
    const { locale, emailVerified } = person.account;
    const language = locale === undefined ? undefined : nameOfLanguage(locale);
    const notes = await listNotes(person);
    const { isAvailable: canMail } = accounts.byMail;
    const data = { language, emailVerified, canMail, passwordChanged: passwordInWords(person.account), notes };
    pages.show(ctx, person, { view: "account", item: "profile", title: message("account.title"), data });
  };

  const showForm = (ctx: Context, person: Person, trouble?: FormTrouble): void => {
    const { name, locale = "" } = person.account;
    const title = message("profile.title");
    const data = { languages: languagesFor(locale) };
    pages.show(ctx, person, {
      view: "account-profile",
      item: "profile",
      title,
      data,
      typed: { name, locale },
      trouble,
    });
  };

  const change: PersonFormStep<ProfileForm> = async (ctx, person, form) => {
    const { typed } = form;
    if (form.kind === "faulty") return showForm(ctx, person, { status: 400, fieldErrors: form.errors, typed });
    const { name, locale } = form.values;
    try {
      const input = { name, locale: parseLanguage(locale, person.account.locale) };
      await accounts.changeProfile(person.account.id, input, pages.sourceOf(ctx));
      return seeOther(ctx, withNotice("/account", "profile"));
    } catch (error) {
      if (!(error instanceof AccountFieldInvalidError)) throw error;
      const isName = error.field === "name";
      const sentence = isName ? message("field.name.invalid") : message("field.locale.invalid");
      const fieldErrors = [{ field: isName ? "name" : "locale", message: sentence }];
      return showForm(ctx, person, { status: 400, fieldErrors, typed });
    }
  };

  return { showOverview, showForm: async (ctx: Context, person: Person) => showForm(ctx, person), change };
}

function passwordInWords({ createdAt, passwordChangedAt }: Account): Message {
  const day = { dateMs: passwordChangedAt.getTime() };
  const isFirst = passwordChangedAt.getTime() === createdAt.getTime();
  return isFirst ? message("account.password.never", { day }) : message("account.password.changed", { day });
}

interface Language {
  readonly tag: string;
  readonly name: string;
}

/** Those that the pages speak, and the person's own where an operator gave them another. */
function languagesFor(locale: string): readonly Language[] {
  const tags = new Set([...Object.keys(catalogues), ...(locale === "" ? [] : [locale])]);
  return [...tags].map((tag) => ({ tag, name: nameOfLanguage(tag) }));
}

/** @throws AccountFieldInvalidError for what the page did not offer. */
function parseLanguage(typed: string, current: string | undefined): string | undefined {
  if (typed === "") return undefined;
  if (typed !== current && !Object.hasOwn(catalogues, typed)) throw new AccountFieldInvalidError("locale");
  return typed;
}

/** A language in its own words, as its speakers look for it: "Deutsch". */
function nameOfLanguage(tag: string): string {
  const name = new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
  const [first = "", ...rest] = name;
  return first.toLocaleUpperCase(tag) + rest.join("");
}
