import type { Configuration } from "oidc-provider";
import type { ProtocolPages, RequestingClient } from "../interactions-port.ts";

type SignOut = NonNullable<NonNullable<Configuration["features"]>["rpInitiatedLogout"]>;

export interface SignOutPagesDeps {
  readonly pages: ProtocolPages;
  readonly describeClient: (clientId: string | undefined) => Promise<RequestingClient | undefined>;
}

/** The two pages of a sign-out that an app asked for (OpenID Connect RP-Initiated Logout 1.0). */
export function signOutPages({ pages, describeClient }: SignOutPagesDeps): Omit<SignOut, "enabled"> {
  return {
    async logoutSource(ctx) {
      const state = ctx.oidc.session?.state;
      const returnUri = state?.["postLogoutRedirectUri"];
      await pages.renderSignOut(ctx, {
        action: ctx.oidc.urlFor("end_session_confirm"),
        xsrf: typeof state?.["secret"] === "string" ? state["secret"] : "",
        client: await describeClient(ctx.oidc.client?.clientId),
        accountId: ctx.oidc.session?.accountId ?? "",
        returnUri: typeof returnUri === "string" ? returnUri : undefined,
      });
    },
    async postLogoutSuccessSource(ctx) {
      await pages.renderSignedOut(ctx, { client: await describeClient(ctx.oidc.client?.clientId) });
    },
  };
}

/**
 * Whether the library is to end a grant. At a sign-out it would do so one by one, before the session: that ends as a
 * whole, in one step and with one revocation. And who gives back an access token does not give back the grant.
 */
export const revokeGrantPolicy: NonNullable<Configuration["revokeGrantPolicy"]> = ({ oidc }) => {
  if (oidc.route === "end_session_confirm") return !oidc.params?.["logout"];
  return oidc.route !== "revocation" || oidc.entities.AccessToken === undefined;
};
