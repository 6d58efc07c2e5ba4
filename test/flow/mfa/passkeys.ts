import type { Browser, Page } from "../../support/browser.ts";
import type { HtmlForm } from "../../support/html.ts";

/** What the page's script does with a passkey: makes one, uses one, or waits for one in the e-mail field. */
type Ceremony = "create" | "use" | "autofill";

/** What the page tells the browser of the passkey that it wants. */
export function keyOptionsOf({ html, url }: Page, ceremony: Ceremony): object {
  const tag = new RegExp(`<form[^>]*data-passkey="${ceremony}"[^>]*data-options="([^"]*)"`).exec(html);
  if (tag?.[1] === undefined) throw new Error(`no passkey to ${ceremony} at ${url.pathname}`);
  return JSON.parse(tag[1].replaceAll("&quot;", '"').replaceAll("&amp;", "&").replaceAll("&#39;", "'")) as object;
}

/** Posts what the authenticator says, as the page's script does. */
export function submitKey(
  browser: Browser,
  page: Page,
  response: string,
  values: Record<string, string> = {},
): Promise<Page> {
  return browser.submit(page, keyFormOf(page), { values: { response, ...values } });
}

export function keyFormOf(page: Page): HtmlForm {
  return page.formWith("response");
}

/** Redirects to the apps of the tests are not followed. */
export function isAtApp({ url }: Page): boolean {
  return url.hostname.endsWith(".example.com");
}
