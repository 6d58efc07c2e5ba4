/**
 * The pages outside an authorization request: the start page, the account's pages and signing out there.
 *
 * Our own account page is a client like any other: without a session the browser is sent to `signInUrl` and comes back
 * to `/account/signed-in`, and from there to the page that was asked for. `signed-in.ts` is the frame of every page of
 * the account; beside it there is one file a page, and `routes.ts` lists them.
 *
 * Invariants: nothing about a person is shown without their session; what changes something is a form whose token
 * belongs to that session; deleting the account, a copy of all its data, and adding or removing sign-in methods need a
 * proof of who somebody is that is no older than 15 minutes, by a second factor where there is one; where a person comes back to is one of our own pages, whatever the address says.
 */
export { TOLD_EVENT_TYPES, UNTOLD_EVENTS } from "./activity-words.ts";
export { SELF_SERVICE_ROUTES } from "./routes.ts";
export { createSelfServiceRoutes } from "./self-service-routes.ts";
