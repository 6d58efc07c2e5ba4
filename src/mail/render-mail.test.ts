import { describe, expect, test } from "vitest";
import { catalogues } from "../http/index.ts";
import { createMailRenderer, MAIL_KINDS, TEMPLATES } from "./index.ts";
import type { OutgoingMail } from "./outgoing-mail.ts";
import { defineMail, type MailTemplate } from "./template.ts";

const ISSUER = "https://id.example.com";
const brand = { name: "Example ID", color: "#0f766e" };
const render = createMailRenderer({ issuer: ISSUER, brand });
const locales = Object.keys(catalogues);

function sampleOf(kind: OutgoingMail["kind"], locale: string | undefined): OutgoingMail {
  return { kind, to: "alice@example.com", locale, variables: TEMPLATES[kind].sample } as OutgoingMail;
}

const everything = MAIL_KINDS.flatMap((kind) => locales.map((locale) => [kind, locale] as const));

describe.each(everything)("%s in %s", (kind, locale) => {
  const mail = render(sampleOf(kind, locale));

  test("says the same in text and in HTML, in that language", () => {
    expect(mail.locale).toBe(locale);
    expect(mail.html).toContain(`<html lang="${locale}">`);
    const words = (text: string): string => text.replace(/[\s⁨⁩]+/g, " ");
    const shown = words(mail.html.replace(/<style>[^]*<\/style>|<[^>]+>/g, " ").replaceAll("&amp;", "&"));
    for (const line of mail.text.split("\n").filter((each) => each.length > 3)) {
      // Of a fact the HTML has the label and the value apart.
      for (const part of line.split(/(?<=:) /)) expect(shown).toContain(words(part).trim().replace(/:$/, ""));
    }
  });

  test("leads to the issuer alone, fetches nothing and runs nothing", () => {
    const urls = [...`${mail.text}\n${mail.html}`.matchAll(/[a-z]+:\/\/[^\s"<]+/g)].map(([url]) => url);
    expect(urls.length).toBeGreaterThan(0);
    for (const url of urls) expect(url.startsWith(`${ISSUER}/`)).toBe(true);
    expect(mail.html).not.toMatch(/<img|<table|<script|<link|<form|url\(|@import|\ssrc=|javascript:/i);
  });

  test("has a subject of one line with the brand, and no mark of a text that was not filled in", () => {
    expect(mail.subject).toMatch(/^[^\n]{10,90}$/);
    expect(mail.subject).toContain(brand.name);
    expect(mail.text + mail.subject).not.toMatch(/[{}]|\*\*|undefined/);
  });
});

test.each([
  ["de-AT", "de"],
  ["ja", "en"],
  [undefined, "en"],
])("somebody whose language is %s reads %s", (locale, read) => {
  expect(render(sampleOf("notice.password_changed", locale)).locale).toBe(read);
});

test("names are text wherever they stand: no markup, no other line [ASVS 1.2.1]", () => {
  const evil = '<b>Shop</b>\r\nBcc: mallory@example.com "&';
  const mail = createMailRenderer({ issuer: ISSUER, brand: { ...brand, name: evil } })({
    kind: "notice.access_reused",
    to: "alice@example.com",
    locale: "en",
    variables: { atMs: 0, client: evil },
  });
  expect(mail.subject).not.toMatch(/[\r\n]/);
  expect(mail.html).not.toContain("<b>");
  expect(mail.html).toContain("&lt;b&gt;Shop&lt;/b&gt;");
});

test.each(["//mallory.example.com/x", "https://mallory.example.com", "javascript:alert(1)"])(
  "a template that would lead to %s makes no mail",
  (path) => {
    const kind = "notice.password_changed";
    const original = TEMPLATES[kind];
    const leading: MailTemplate = defineMail<unknown>({
      ...(original as MailTemplate),
      compose: (variables, surroundings) => {
        const content = (original as MailTemplate).compose(variables, surroundings);
        return { ...content, action: { label: content.subject, path } };
      },
    });
    const renderIt = createMailRenderer({ issuer: ISSUER, brand, templates: { ...TEMPLATES, [kind]: leading } });
    expect(() => renderIt(sampleOf(kind, "en"))).toThrow("away from the issuer");
  },
);
