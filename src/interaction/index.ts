/**
 * The pages inside an authorization request: sign in, create an account, prove or add a second factor, consent; and those
 * that the protocol shows: errors and signing out.
 *
 * Flow: the protocol sends the browser to `/interaction/:uid`; the page that it waits for is shown; its form is read,
 * checked and answered with a redirect (303) to the next page or the app, or with the page again and what to fix. Whatever
 * proves who somebody is goes to `sign-in-chain.ts`, which sends the browser to what is still missing.
 *
 * Invariants: nothing changes without a form whose token belongs to this interaction; a person is signed in only by
 * `completeSignIn`, once the whole chain is proved; each page of a factor is shown at its turn only; a wrong e-mail and a wrong password look the same; an interaction that is over always offers a way
 * to go on; what was typed stays, except passwords.
 */
export { createFactorQuestion } from "./factor-asked.ts";
export { createInteractionRoutes, INTERACTION_ROUTES } from "./interaction-routes.ts";
export { createKnownBrowsers, type KnownBrowsers } from "./known-browser.ts";
export { createProtocolPages } from "./protocol-pages.ts";
