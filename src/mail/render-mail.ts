import { readFileSync } from "node:fs";
import { Eta } from "eta";
import { type Brand, catalogues, chooseLocale, createTranslator, labelOn, type Translator } from "../http/index.ts";
import type { OutgoingMail } from "./outgoing-mail.ts";
import type { MailContent, MailTemplate } from "./template.ts";
import { type MailKind, TEMPLATES } from "./templates/index.ts";

/** A mail in the person's language. */
export interface RenderedMail {
  readonly locale: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export type RenderMail = (mail: OutgoingMail) => RenderedMail;

export interface MailRendererDeps {
  /** Every link leads here, and nowhere else. */
  readonly issuer: string;
  readonly brand: Pick<Brand, "name" | "color">;
  readonly templates?: Readonly<Record<MailKind, unknown>>;
}

const LAYOUT = new URL("../../views/mail/html.eta", import.meta.url);

/** Makes text and HTML of the same content. Nothing in them is fetched from anywhere, so that no mail tells who reads it. */
export function createMailRenderer({ issuer, brand, templates = TEMPLATES }: MailRendererDeps): RenderMail {
  const eta = new Eta({ autoEscape: true, autoTrim: false, cache: true });
  eta.loadTemplate("@html", readFileSync(LAYOUT, "utf8"));
  const locales = Object.keys(catalogues);
  const translators = new Map(
    Object.entries(catalogues).map(([locale, catalogue]) => [locale, createTranslator(locale, catalogue)]),
  );
  const fallback = createTranslator("en", catalogues.en);

  return (mail) => {
    const translator =
      translators.get(chooseLocale(mail.locale === undefined ? [] : [mail.locale], locales)) ?? fallback;
    const { locale } = translator;
    const say: Say = (text, slots) => translator.text(text, slots);
    // The table of templates has one type a kind; that kind and variables belong together, `openMail` has looked at.
    const template = templates[mail.kind] as MailTemplate;
    const content = template.compose(mail.variables, { brand: brand.name });
    const why = say({ key: WHY[content.why ?? "account"], slots: { email: mail.to, brand: brand.name } });
    const shown = { say, content, url: urlOf(content, issuer), why, brand: brand.name };
    const subject = inOneLine(say(content.subject));
    const colors = { color: brand.color, labelColor: labelOn(brand.color) };
    const html = eta.render("@html", { ...shown, ...colors, locale, subject, facts: content.facts ?? [] });
    return { locale, subject, text: inText(shown), html };
  };
}

/** Why somebody gets a mail, at its end. */
const WHY = { account: "mail.why", typed: "mail.why.typed", invited: "mail.why.invited" } as const;

/** @throws Error when the path leads to another place: a template's bug, or a variable that is none of ours. */
function urlOf({ action }: MailContent, issuer: string): string | undefined {
  if (action === undefined) return undefined;
  const url = new URL(action.path, issuer);
  if (url.origin !== issuer) throw new Error("a mail's link leads away from the issuer");
  return url.href;
}

type Say = Translator["text"];

interface Shown {
  readonly say: Say;
  readonly content: MailContent;
  readonly url: string | undefined;
  readonly why: string;
  readonly brand: string;
}

function inText({ say, content, url, why, brand }: Shown): string {
  const { paragraphs, facts = [], code, advice, action } = content;
  const lines = facts.map(({ label, value }) =>
    say({ key: "mail.fact", slots: { label: say(label), value: say(value) } }),
  );
  const blocks = [
    ...paragraphs.map((paragraph) => say(paragraph)),
    code ?? "",
    lines.join("\n"),
    advice === undefined ? "" : say(advice),
    action === undefined || url === undefined
      ? ""
      : `${say({ key: "mail.fact.label", slots: { label: say(action.label) } })}\n${url}`,
    // What mail programs take for a signature, and leave out of an answer.
    `-- \n${brand}\n${why} ${say("mail.noReply")}`,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

/** A subject is one line, whatever stands in the name of a brand. */
function inOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}
