/**
 * Every mail in every language, to be looked at: `npm run mails`, with BRAND_NAME and BRAND_COLOR as they are set. Writes
 * a folder and says where; its `index.html` shows them all.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../src/config/index.ts";
import { catalogues } from "../src/http/index.ts";
import { createMailRenderer, MAIL_KINDS, type OutgoingMail, TEMPLATES } from "../src/mail/index.ts";

const config = loadConfig(process.env, "command");
const render = createMailRenderer(config);
const folder = mkdtempSync(join(tmpdir(), "latchkey-mails-"));

const sections = MAIL_KINDS.flatMap((kind) =>
  Object.keys(catalogues).map((locale) => {
    const mail = render({ kind, to: "alice@example.com", locale, variables: TEMPLATES[kind].sample } as OutgoingMail);
    const name = `${kind}.${locale}`;
    writeFileSync(join(folder, `${name}.html`), mail.html);
    writeFileSync(join(folder, `${name}.txt`), mail.text);
    const frame = (file: string): string => `<iframe src="${file}" title="${file}"></iframe>`;
    return `<section><h2>${name}</h2><div>${frame(`${name}.html`)}${frame(`${name}.txt`)}</div></section>`;
  }),
);

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>Mails</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem; }
section > div { display: flex; flex-wrap: wrap; gap: 1rem; }
iframe { flex: 1 1 24rem; height: 38rem; border: 1px solid #8884; border-radius: 8px; }
</style>
<h1>Mails</h1>
${sections.join("\n")}
`;
writeFileSync(join(folder, "index.html"), page);
process.stdout.write(`${sections.length} mails are in ${folder}; open ${join(folder, "index.html")}\n`);
