import { readdirSync, readFileSync } from "node:fs";
import { allowScripts } from "./content-security-policy.ts";
import { fileURLToPath } from "node:url";
import { Eta } from "eta";
import type { Context } from "koa";
import type { Catalogue } from "../../views/messages/index.ts";
import { noteFacts } from "../observability/index.ts";
import type { Assets, Brand } from "./assets.ts";
import type { FieldError, FormFields } from "./form.ts";
import { chooseLocale, parseUiLocales } from "./locale.ts";
import { clockInWords, dayHeading } from "./moments.ts";
import { createTranslator, type Message, type Translator } from "./messages.ts";

export interface ViewsDependencies {
  readonly issuer: string;
  readonly brand: Brand;
  readonly links: { readonly help: string | undefined; readonly privacy: string | undefined };
  readonly catalogues: { readonly en: Catalogue } & Readonly<Record<string, Catalogue>>;
  readonly assets: Pick<Assets, "urlOf" | "logoUrl">;
  /** How long a password is at least, which pages say before one is chosen. */
  readonly passwordCharactersMin: number;
}

/** What one page says. */
export interface PageContent {
  readonly title: Message;
  /** What stands wrong in the form as a whole, such as a pair that does not match. */
  readonly alert?: Message | undefined;
  readonly fieldErrors?: readonly FieldError[] | undefined;
  /** What was typed before, by field; passwords are never put in again. */
  readonly typed?: FormFields | undefined;
  /** Languages that the request asked for; the `ui_locales` of the address when absent. */
  readonly uiLocales?: readonly string[] | undefined;
  /** Assets that the page runs; it works without, or says so. */
  readonly scripts?: readonly string[] | undefined;
  /** What the page's own template reads as `it.page`. */
  readonly data?: object | undefined;
}

/** Draws the hosted pages. */
export interface Views {
  /** The language of the person's pages, as the tag of a catalogue. */
  localeFor(ctx: Context, uiLocales?: readonly string[]): string;
  /** A text in the language of {@link localeFor}. */
  say(ctx: Context, message: Message, uiLocales?: readonly string[]): string;
  /** Answers with the page `views/<page>.eta` in the person's language, never to be kept by a cache. */
  render(ctx: Context, page: string, content: PageContent, options?: { readonly status?: number }): void;
}

const VIEWS_DIRECTORY = fileURLToPath(new URL("../../views/", import.meta.url));
const TEMPLATE_FOLDERS = ["", "layouts/", "parts/"];

export function createViews(deps: ViewsDependencies): Views {
  const { issuer, brand, links, catalogues, assets, passwordCharactersMin } = deps;
  const templates = loadTemplates();
  const locales = Object.keys(catalogues);
  const translators = new Map(
    Object.entries(catalogues).map(([locale, catalogue]) => [locale, createTranslator(locale, catalogue)]),
  );
  const fallback = createTranslator("en", catalogues.en);
  const site = { brand: brand.name, links, assets, host: new URL(issuer).host, passwordCharactersMin };
  const surroundings = { ...site, href };

  const localeFor = (ctx: Context, uiLocales?: readonly string[]): string =>
    chooseLocale([...(uiLocales ?? parseUiLocales(ctx.query["ui_locales"])), ...ctx.acceptsLanguages()], locales);

  return {
    localeFor,
    say: (ctx, text, uiLocales) => (translators.get(localeFor(ctx, uiLocales)) ?? fallback).text(text),
    render(ctx, page, content, { status = 200 } = {}) {
      const locale = localeFor(ctx, content.uiLocales);
      const translator = translators.get(locale) ?? fallback;
      const { fieldErrors = [], scripts = [] } = content;
      const trouble = content.alert ?? fieldErrors[0]?.message;
      // A form that is shown again was refused, whatever the status: its first sentence says why.
      if (trouble !== undefined) noteFacts(ctx, { reason: trouble.key });
      allowScripts(
        ctx,
        scripts.map((name) => `${issuer}/assets/${name}`),
      );
      const html = templates.render(`@${page}`, {
        ...surroundings,
        ...translator,
        date: (at: Date) => formatDate(at, translator),
        clock: (atMs: number) => clockInWords(atMs, locale),
        dayHeading: (atMs: number, nowMs: number) => dayHeading({ atMs, nowMs }, locale),
        time: (atMs: number) => formatTime(atMs, translator),
        title: pageTitle(content, translator, brand.name),
        heading: translator.text(content.title),
        alert: content.alert,
        fieldErrors,
        scripts,
        errorOf: (field: string) => fieldErrors.find((error) => error.field === field)?.message,
        typed: content.typed ?? {},
        page: content.data ?? {},
      });
      ctx.status = status;
      ctx.type = "html";
      ctx.set("Cache-Control", "no-store");
      ctx.set("Content-Language", locale);
      ctx.body = html;
    },
  };
}

/** All templates at once, so that a broken one stops the start and none is read while a person waits. */
function loadTemplates(): Eta {
  const eta = new Eta({ autoEscape: true, autoTrim: false, cache: true });
  for (const folder of TEMPLATE_FOLDERS) {
    for (const file of readdirSync(`${VIEWS_DIRECTORY}${folder}`).filter((name) => name.endsWith(".eta"))) {
      const name = `@${folder}${file.slice(0, -".eta".length)}`;
      eta.loadTemplate(name, readFileSync(`${VIEWS_DIRECTORY}${folder}${file}`, "utf8"));
    }
  }
  return eta;
}

function pageTitle(content: PageContent, translator: Translator, brand: string): string {
  const hasErrors = content.alert !== undefined || (content.fieldErrors ?? []).length > 0;
  const title = translator.text(content.title);
  return translator.text(hasErrors ? "layout.titleWithError" : "layout.title", { title, brand });
}

/** An address for a link: of the web, of this site, or of mail. Anything else (`javascript:`) leads to the start page. */
function href(address: string): string {
  if (/^\/(?![/\\])/.test(address)) return address;
  const isSafe = URL.canParse(address) && ["https:", "http:", "mailto:"].includes(new URL(address).protocol);
  return isSafe ? address : "/";
}

function formatDate(at: Date, { locale }: Translator): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" }).format(at);
}

function formatTime(atMs: number, { locale }: Translator): { readonly iso: string; readonly words: string } {
  const at = new Date(atMs);
  const words = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short", timeZone: "UTC" }).format(at);
  return { iso: at.toISOString(), words: `${words} UTC` };
}
