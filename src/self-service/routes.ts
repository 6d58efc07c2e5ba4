/** Every route of this folder; a test fails when the security table does not list one. */
export const SELF_SERVICE_ROUTES = [
  "GET /",
  "GET /sign-in",
  "GET /create-account",
  "GET /create-account/finish",
  "POST /create-account/finish",
  "GET /create-account/done",
  "GET /reset-password",
  "POST /reset-password",
  "GET /reset-password/code",
  "POST /reset-password/code",
  "GET /reset-password/second-factor",
  "POST /reset-password/second-factor",
  "GET /reset-password/passkey",
  "POST /reset-password/passkey",
  "GET /reset-password/recovery-code",
  "POST /reset-password/recovery-code",
  "GET /reset-password/new",
  "POST /reset-password/new",
  "GET /reset-password/done",
  "GET /confirm-email",
  "GET /undo-email-change",
  "POST /undo-email-change",
  "GET /signed-out",
  "GET /account",
  "GET /account/signed-in",
  "POST /account/sign-out",
  "GET /account/profile",
  "POST /account/profile",
  "GET /account/email",
  "POST /account/email",
  "GET /account/email/code",
  "POST /account/email/code",
  "GET /account/email/confirm",
  "POST /account/email/confirm",
  "GET /account/password",
  "POST /account/password",
  "GET /account/methods",
  "GET /account/methods/app",
  "POST /account/methods/app",
  "GET /account/methods/passkey",
  "POST /account/methods/passkey",
  "GET /account/methods/rename",
  "POST /account/methods/rename",
  "GET /account/methods/remove",
  "POST /account/methods/remove",
  "GET /account/recovery-codes",
  "POST /account/recovery-codes",
  "GET /account/recovery-codes.txt",
  "POST /account/recovery-codes/new",
  "GET /account/devices",
  "POST /account/devices/end",
  "POST /account/devices/end-others",
  "GET /account/apps",
  "POST /account/apps/withdraw",
  "GET /account/activity",
  "GET /account/activity/not-me",
  "GET /account/data",
  "GET /account/data.json",
  "GET /account/delete",
  "POST /account/delete",
] as const;

export type SelfServiceRoute = (typeof SELF_SERVICE_ROUTES)[number];

/** Where people may come back to after a sign-in: pages of the account, and never what a link says beyond that. */
const ACCOUNT_PAGES: ReadonlySet<string> = new Set(
  SELF_SERVICE_ROUTES.filter((route) => route.startsWith("GET /account"))
    .map((route) => route.slice("GET ".length))
    // The one would send them round in circles, and the other leaves them on the page that they came from.
    .filter((path) => path !== "/account/signed-in" && path !== "/account/data.json" && !path.endsWith(".txt")),
);

/** The one page that is nothing without what its address carries: a link of ours, with a token and no more. */
const CONFIRMATION = /^\/account\/email\/confirm\?token=[\w.-]{1,128}$/;

/** The page of the account with exactly this path; `/account` for anything else. */
export function knownAccountPage(path: unknown): string {
  const isKnown = typeof path === "string" && (ACCOUNT_PAGES.has(path) || CONFIRMATION.test(path));
  return isKnown ? path : "/account";
}

/** The page that an address, without its origin, belongs to: itself, or the nearest above it. */
export function accountPageOf(url: string): string {
  if (CONFIRMATION.test(url)) return url;
  const [path = ""] = url.split("?");
  for (let page = path; page.length > 1; page = page.slice(0, page.lastIndexOf("/"))) {
    if (ACCOUNT_PAGES.has(page)) return page;
  }
  return "/account";
}
