import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import { fromAnywhere } from "../../support/addresses.ts";
import type { Browser, Page } from "../../support/browser.ts";
import { headerOf, type MailServer, partOf, startMailServer } from "../../support/mail-server.ts";
import type { LatchkeyOptions } from "../../support/latchkey.ts";
import { createWorld, type World } from "../../support/world.ts";

/** A mail as a person reads it. */
export interface ReadMail {
  readonly subject: string;
  readonly text: string;
  /** Its six digits, as they are written. */
  readonly code: string;
  /** Where its button leads. */
  readonly link: URL;
}

/** A server that sends mail, and a mail server that takes it. */
export interface MailWorld extends World {
  readonly mailServer: MailServer;
  /** The newest mail to an address, once as many as that have come. */
  mailTo(email: string, count?: number): Promise<ReadMail>;
  subjectsTo(email: string): readonly string[];
  at(path: string): string;
}

export async function createMailWorld(settings: LatchkeyOptions["settings"] = {}): Promise<MailWorld> {
  const mailServer = await startMailServer();
  const sending = { MAIL_URL: mailServer.url, MAIL_FROM: "id@example.com", BRAND_NAME: "Example ID" };
  const world = await createWorld({
    stores: "postgres",
    settings: { TRUSTED_PROXIES: "1", ...sending, ...settings },
  });
  const mailsTo = (email: string) => mailServer.received.filter(({ to }) => to.includes(email));
  return {
    ...world,
    mailServer,
    subjectsTo: (email) => mailsTo(email).map((mail) => headerOf(mail, "Subject") ?? ""),
    at: (path) => world.latchkey.issuer + path,
    async mailTo(email, count = 1) {
      await expect.poll(() => mailsTo(email).length, { timeout: 10_000, interval: 10 }).toBe(count);
      const mail = mailsTo(email).at(-1);
      if (mail === undefined) throw new Error("no mail came");
      const text = partOf(mail, "text/plain").replaceAll("\r\n", "\n");
      const [link = "about:blank"] = /https?:\S+/.exec(text) ?? [];
      const [code = ""] = /^\d{3} \d{3}$/m.exec(text) ?? [];
      return { subject: headerOf(mail, "Subject") ?? "", text, code, link: new URL(link) };
    },
    async close() {
      await world.close();
      await mailServer.close();
    },
  };
}

/** An address that nobody else uses: limits are per address. */
export const freshEmail = (name: string): string => `${name}-${randomBytes(6).toString("hex")}@example.com`;

/** A browser at a place of its own. */
export function openBrowserSomewhere(world: World): Browser {
  return world.openBrowser(fromAnywhere());
}

/** Types into the form that has the field. */
export function type(browser: Browser, page: Page, values: Readonly<Record<string, string>>): Promise<Page> {
  const [field = ""] = Object.keys(values);
  return browser.submit(page, page.formWith(field), { values });
}
