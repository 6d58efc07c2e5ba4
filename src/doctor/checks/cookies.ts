import { judgeCookie, type JudgedCookie } from "../browser-cookies.ts";
import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, warning, whenSeen } from "../finding.ts";

/** Ours, as opposed to what a balancer adds. */
const OUR_NAME = /(^|-)lk_/;

/** Whether a browser that wants to sign in keeps our cookies, and so gets to the form. */
export function checkCookies({ config, signIn }: Deployment): readonly Finding[] {
  return whenSeen("cookies", signIn, (pages) => {
    const last = pages.at(-1);
    const cookies = pages
      .flatMap(({ url, setCookies }) => setCookies.map((header) => judgeCookie(header, url)))
      .filter(({ name }) => OUR_NAME.test(name));
    const refused = cookies.filter(({ refusal }) => refusal !== undefined);
    if (refused.length > 0) {
      const which = refused.map(({ name, refusal }) => `${name} (${refusal ?? ""})`).join(", ");
      return [failure("cookies", `Browsers refuse ${which}: nobody can sign in.`, LEAVE_COOKIES)];
    }
    if (last?.status !== 200 || !/<form\b/i.test(last.body)) {
      const meaning = `A browser without a session ends at ${last?.status ?? "nothing"} instead of the page to sign in.`;
      return [failure("cookies", meaning, "See the logs of the proxy and of the servers for why.")];
    }
    if (cookies.length === 0)
      return [failure("cookies", "The page to sign in comes without our cookies.", LEAVE_COOKIES)];
    const weak = cookies.filter((cookie) => isWeakened(cookie, config.issuer)).map(({ name }) => name);
    if (weak.length === 0) return [ok("cookies", `A browser keeps the ${cookies.length} cookies of a sign-in.`)];
    const meaning = `Something on the way has changed ${[...new Set(weak)].join(", ")}: they lack what protects them.`;
    return [warning("cookies", meaning, LEAVE_COOKIES)];
  });
}

const LEAVE_COOKIES =
  "See that the proxy leaves Set-Cookie alone: no other Path or Domain, and no attribute taken away.";

function isWeakened({ name, isSecure, isHttpOnly, sameSite }: JudgedCookie, issuer: string): boolean {
  const isHttps = issuer.startsWith("https:");
  return !isHttpOnly || sameSite !== "lax" || (isHttps && (!isSecure || !name.startsWith("__")));
}
