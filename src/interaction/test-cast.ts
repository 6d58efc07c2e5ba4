import type { Account } from "../accounts/index.ts";
import type { Interactions, PendingInteraction, RequestingClient } from "../oidc/index.ts";

export const alice: Account = {
  id: "alice-id",
  name: "Alice Adams",
  email: "alice@example.com",
  emailVerified: false,
  locale: undefined,
  createdAt: new Date(0),
  passwordChangedAt: new Date(0),
  proofsSince: undefined,
  updatedAt: new Date(0),
  disabledAt: undefined,
};

export const shopWeb: RequestingClient = {
  id: "shopWeb",
  name: "Shop",
  host: "shop.example.com",
  homeUri: "https://shop.example.com/",
  logoUri: undefined,
  policyUri: "https://shop.example.com/privacy",
  termsUri: undefined,
  isOurs: false,
  isFirstParty: false,
};

export const signInRequest: PendingInteraction = {
  uid: "uid-1",
  page: "sign-in",
  client: shopWeb,
  accountId: undefined,
  isReauthentication: false,
  required: { acr: "urn:latchkey:acr:pwd", isAsked: false, policy: "optional" },
  progress: undefined,
  answeredUrl: undefined,
  loginHint: undefined,
  uiLocales: [],
  access: { identityScopes: ["profile", "email"], resources: [] },
  redirectUri: "https://shop.example.com/callback",
  restartToken: "restart-1",
};

export const consentRequest: PendingInteraction = { ...signInRequest, page: "consent", accountId: alice.id };

/** The protocol with one request that waits, or none. */
export function createFakeInteractions(pending: PendingInteraction | undefined): Interactions {
  return {
    find: async (_, uid) => (pending?.uid === uid ? pending : undefined),
    noteProgress: async () => undefined,
    refuseAssurance: async () => "https://shop.example.com/callback?error=unmet_authentication_requirements",
    completeSignIn: async (_, interaction, { progress }) => `/auth/${interaction.uid}?signed-in=${progress.accountId}`,
    allow: async () => "https://shop.example.com/callback?code=1",
    deny: async () => "https://shop.example.com/callback?error=access_denied",
    readRestart: async (token) => (token === "restart-1" ? { client: shopWeb, url: "/auth?again" } : undefined),
    restartForAnotherAccount: async (token) => (token === "restart-1" ? "/auth?as=another-account" : undefined),
  };
}
