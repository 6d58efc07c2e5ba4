import type { ClientSettings, ResourceServerSettings } from "../../src/clients/index.ts";

/** The people of the tests. Their passwords are random words that nobody uses. */
export interface Person {
  readonly email: string;
  readonly name: string;
  readonly password: string;
}

export const alice: Person = { email: "alice@example.com", name: "Alice Archer", password: "velvet-otter-piano-42" };
export const bob: Person = { email: "bob@example.com", name: "Bob Baker", password: "copper-lantern-mosaic-7" };
export const mallory: Person = {
  email: "mallory@example.com",
  name: "Mallory Moss",
  password: "gravel-syrup-comet-99",
};

/** The API that the clients of the tests call. */
export const ordersApi: ResourceServerSettings = {
  identifier: "https://orders.example.com",
  name: "Orders",
  scopes: [
    { name: "orders:read", description: "See your orders" },
    { name: "orders:write", description: "Place orders for you" },
  ],
};

const ordersAccess = { identifier: ordersApi.identifier, scopes: ["orders:read", "orders:write"] };

/** A single-page app: public, third-party, with the orders API as its default resource. */
export const shopWeb = {
  id: "shopWeb",
  name: "Shop",
  redirectUris: ["https://shop.example.com/callback"],
  postLogoutRedirectUris: ["https://shop.example.com/"],
  homeUri: "https://shop.example.com/",
  resources: [ordersAccess],
  defaultResource: ordersApi.identifier,
} as const satisfies ClientSettings;

/** A service that acts for itself: confidential, client credentials only. */
export const billingApi = {
  id: "billingApi",
  name: "Billing",
  authMethod: "client_secret_basic",
  grantTypes: ["client_credentials"],
  resources: [ordersAccess],
  defaultResource: ordersApi.identifier,
} as const satisfies ClientSettings;
