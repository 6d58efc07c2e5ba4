import type { ClientSettings, ResourceServerSettings } from "../../src/clients/index.ts";
import { billingApi, ordersApi, shopWeb } from "./cast.ts";

/** A second API, whose tokens the first one must refuse. */
export const ledgerApi: ResourceServerSettings = {
  identifier: "https://ledger.example.com",
  name: "Ledger",
  scopes: [{ name: "ledger:read", description: "See your ledger" }],
};

/** An API that no client of the tests may ask for. */
export const vaultApi: ResourceServerSettings = {
  identifier: "https://vault.example.com",
  name: "Vault",
  scopes: [{ name: "vault:read", description: "Open your vault" }],
};

const ordersAccess = { identifier: ordersApi.identifier, scopes: ["orders:read"] };
const ledgerAccess = { identifier: ledgerApi.identifier, scopes: ["ledger:read"] };

/** First-party, public, without a resource: its access tokens are opaque and serve userinfo. */
export const notesWeb = {
  id: "notesWeb",
  name: "Notes",
  isFirstParty: true,
  redirectUris: ["https://notes.example.com/callback"],
  postLogoutRedirectUris: ["https://notes.example.com/bye"],
  homeUri: "https://notes.example.com/",
} as const satisfies ClientSettings;

/** First-party, public, with two APIs and none by default. */
export const mailWeb = {
  id: "mailWeb",
  name: "Mail",
  isFirstParty: true,
  redirectUris: ["https://mail.example.com/callback"],
  resources: [ordersAccess, ledgerAccess],
} as const satisfies ClientSettings;

/** Three confidential apps, one for each way to prove who they are. */
export const deskBasic = {
  id: "deskBasic",
  name: "Desk",
  isFirstParty: true,
  authMethod: "client_secret_basic",
  redirectUris: ["https://desk.example.com/basic"],
} as const satisfies ClientSettings;

export const deskPost = {
  ...deskBasic,
  id: "deskPost",
  authMethod: "client_secret_post",
  redirectUris: ["https://desk.example.com/post"],
} as const satisfies ClientSettings;

/** Its public key is added by the world that it lives in. */
export const deskKey = {
  ...deskBasic,
  id: "deskKey",
  authMethod: "private_key_jwt",
  redirectUris: ["https://desk.example.com/key"],
} as const satisfies ClientSettings;

/** Must push its authorization requests. */
export const bankWeb = {
  id: "bankWeb",
  name: "Bank",
  isFirstParty: true,
  redirectUris: ["https://bank.example.com/callback"],
  homeUri: "https://bank.example.com/",
  requirePushedAuthorizationRequests: true,
} as const satisfies ClientSettings;

/** Gets tokens that are bound to a key only (DPoP). */
export const walletWeb = {
  id: "walletWeb",
  name: "Wallet",
  isFirstParty: true,
  redirectUris: ["https://wallet.example.com/callback"],
  resources: [ordersAccess],
  defaultResource: ordersApi.identifier,
  dpopBoundAccessTokens: true,
} as const satisfies ClientSettings;

/** Runs on the person's own machine and listens on a loopback port of the moment (RFC 8252, section 7.3). */
export const reportsCli = {
  id: "reportsCli",
  name: "Reports",
  isFirstParty: true,
  redirectUris: ["http://127.0.0.1/callback"],
} as const satisfies ClientSettings;

export const RESOURCE_SERVERS = [ordersApi, ledgerApi, vaultApi] as const;

/** Everybody but `deskKey`, which needs a key. */
export const CLIENTS: readonly ClientSettings[] = [
  shopWeb,
  billingApi,
  notesWeb,
  mailWeb,
  deskBasic,
  deskPost,
  bankWeb,
  walletWeb,
  reportsCli,
];
