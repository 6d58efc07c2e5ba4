import { cookieHeader, type JudgedCookie, judgeCookie } from "./browser-cookies.ts";
import type { Page, ReadPage } from "./web.ts";

const STEPS_MAX = 6;

/**
 * Goes where a browser goes that opens the account page and is not signed in, to the form, with the cookies that a
 * browser keeps. It begins one authorization request, which nobody goes on with.
 */
export async function walkToSignIn(issuer: string, readPage: ReadPage): Promise<readonly Page[]> {
  const cookies = new Map<string, JudgedCookie>();
  const pages: Page[] = [];
  let url: string | undefined = `${issuer}/account`;
  while (url !== undefined && pages.length < STEPS_MAX) {
    const cookie = cookieHeader(cookies.values(), url);
    const page: Page = await readPage(url, { accept: "text/html", ...(cookie === "" ? {} : { cookie }) });
    pages.push(page);
    for (const header of page.setCookies) {
      const judged = judgeCookie(header, url);
      if (judged.refusal === undefined) cookies.set(`${judged.name};${judged.path}`, judged);
    }
    url = nextUrl(page, issuer);
  }
  return pages;
}

/** Not to another site: that is not ours to look at. */
function nextUrl({ url, status, headers }: Page, issuer: string): string | undefined {
  const location = headers["location"];
  if (status < 300 || status > 399 || location === undefined || !URL.canParse(location, url)) return undefined;
  const next = new URL(location, url);
  return next.origin === issuer ? next.href : undefined;
}
