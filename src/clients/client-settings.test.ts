import { describe, expect, test } from "vitest";
import { createAddressPolicy } from "../outbound/index.ts";
import { isClientId, parseClientSettings } from "./client-settings.ts";
import { parseResourceServerSettings } from "./resource-server-settings.ts";
import { InvalidSettingsError } from "./settings-faults.ts";

const shopWeb = { id: "shopWeb", name: "Shop", redirectUris: ["https://shop.example.com/callback"] };
const billingApi = { id: "billingApi", name: "Billing", authMethod: "client_secret_basic" };
const publicKey = { kty: "EC", crv: "P-256", x: "eA", y: "eQ" };

function faultsOf(parse: () => unknown): readonly string[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (error instanceof InvalidSettingsError) return error.faults.map(({ key, problem }) => `${key} ${problem}`);
    throw error;
  }
}

const clientFaults = (settings: unknown): string => faultsOf(() => parseClientSettings(settings)).join("\n");

test("three keys make a single-page app", () => {
  expect(parseClientSettings(shopWeb)).toEqual({
    id: "shopWeb",
    name: "Shop",
    metadata: {
      isFirstParty: false,
      authMethod: "none",
      grantTypes: ["authorization_code", "refresh_token"],
      redirectUris: ["https://shop.example.com/callback"],
      postLogoutRedirectUris: [],
      allowedOrigins: ["https://shop.example.com"],
      scopes: ["openid", "profile", "email", "offline_access"],
      resources: [],
      introspects: [],
      idTokenAlgorithm: "RS256",
      requirePkce: true,
      requirePushedAuthorizationRequests: false,
      dpopBoundAccessTokens: false,
    },
  });
});

test("a confidential client without redirect URIs is a service that nobody signs in to", () => {
  const { metadata } = parseClientSettings(billingApi);
  expect(metadata).toMatchObject({ grantTypes: ["client_credentials"], scopes: [], allowedOrigins: [] });
});

test("every fault is reported at once, with its key", () => {
  const settings = {
    ...shopWeb,
    name: "",
    redirectUri: "https://shop.example.com/callback",
    redirectUris: ["https://shop.example.com/callback", "javascript:alert(1)"],
    requirePkce: false,
    defaultResource: "https://api.example.com",
  };
  expect(faultsOf(() => parseClientSettings(settings))).toEqual([
    "name is empty",
    expect.stringMatching(/^redirectUris\[1\] is neither https/),
    expect.stringMatching(/^redirectUri is not a known key \(known are id, name,/),
    "defaultResource is not one of resources",
    "requirePkce cannot be false for a public client (RFC 9700, section 2.1.1)",
  ]);
});

describe("a client's id", () => {
  test.each(["a", "shop-web_2.0", "a".repeat(64), "a".repeat(21), "a".repeat(23)])("may be %s", (id) => {
    expect(isClientId(id)).toBe(true);
  });

  test.each(["", "a".repeat(65), "shop web", "shöp", "a/b", "latchkey-account"])("may not be %j", (id) => {
    expect(isClientId(id)).toBe(false);
    expect(clientFaults({ ...shopWeb, id })).toMatch(/^id /);
  });

  test("may not look like an account's, which is the sub of a person [RFC 9700 4.15]", () => {
    expect(isClientId("a".repeat(22))).toBe(false);
    expect(isClientId("AZaz09-_AZaz09-_AZaz09")).toBe(false);
    expect(isClientId("AZaz09-_AZaz09-_AZaz0.")).toBe(true);
  });
});

test.each([
  [
    "a public client with client_credentials",
    { ...shopWeb, grantTypes: ["client_credentials"] },
    /^grantTypes has client/m,
  ],
  ["a public client without PKCE [RFC 9700 2.1.1]", { ...shopWeb, requirePkce: false }, /^requirePkce cannot be false/],
  [
    "a public client that introspects [RFC 7662 2.1]",
    { ...shopWeb, introspects: ["https://api.example.com"] },
    /^introspects is not empty/,
  ],
  ["an app without redirect URIs", { id: "shopWeb", name: "Shop" }, /^redirectUris is empty/],
  [
    "a service with redirect URIs",
    { ...shopWeb, ...billingApi, grantTypes: ["client_credentials"] },
    /^redirectUris is not/,
  ],
  [
    "refresh tokens that nothing issues",
    { ...billingApi, grantTypes: ["refresh_token"] },
    /^grantTypes has refresh_token/,
  ],
  ["no grant type", { ...billingApi, grantTypes: [] }, /^grantTypes is empty/],
  ["a grant type that we do not have", { ...shopWeb, grantTypes: ["password"] }, /^grantTypes\[0\] is none of/],
  [
    "offline access without refresh tokens",
    { ...shopWeb, grantTypes: ["authorization_code"], scopes: ["openid", "offline_access"] },
    /^scopes has offline/,
  ],
  ["refresh tokens that end before they begin", { ...shopWeb, refreshIdleSeconds: 0 }, /^refreshIdleSeconds is not a/],
  ["a life for longer than a year", { ...shopWeb, refreshMaxSeconds: 31_536_001 }, /^refreshMaxSeconds is not a whole/],
  [
    "an idle time that is longer than the life",
    { ...shopWeb, refreshIdleSeconds: 3_601, refreshMaxSeconds: 3_600 },
    /^refreshIdleSeconds is longer than refreshMaxSeconds/,
  ],
  ["profile without openid", { ...shopWeb, scopes: ["profile"] }, /^scopes has profile/],
  ["private_key_jwt without keys", { ...billingApi, authMethod: "private_key_jwt" }, /^jwks or jwksUri is needed/],
  [
    "keys in two places",
    { ...billingApi, authMethod: "private_key_jwt", jwks: { keys: [publicKey] }, jwksUri: "https://a.example/jwks" },
    /^jwks and jwksUri/,
  ],
  [
    "a private key",
    { ...billingApi, authMethod: "private_key_jwt", jwks: { keys: [{ ...publicKey, d: "ZA" }] } },
    /^jwks\.keys\[0\] holds a private/,
  ],
  [
    "a shared key",
    { ...billingApi, authMethod: "private_key_jwt", jwks: { keys: [{ kty: "oct", k: "aw" }] } },
    /^jwks\.keys\[0\]\.kty/,
  ],
  ["a logo that is a script", { ...shopWeb, logoUri: "javascript:alert(1)" }, /^logoUri is not an https/],
  ["a line break in the name", { ...shopWeb, name: "Shop\nSign in here" }, /^name has line breaks/],
  [
    "a redirect URI that is there twice",
    { ...shopWeb, redirectUris: [shopWeb.redirectUris[0], shopWeb.redirectUris[0]] },
    /^redirectUris names the same/,
  ],
  [
    "51 redirect URIs",
    { ...shopWeb, redirectUris: Array.from({ length: 51 }, (_, at) => `https://shop.example.com/${at}`) },
    /^redirectUris has more than 50/,
  ],
  [
    "an unknown key inside an entry",
    { ...shopWeb, resources: [{ identifier: "https://api.example.com", scope: "a" }] },
    /^resources\[0\]\.scope is not a known key/,
  ],
  ["a list instead of keys", [shopWeb], /^it is not a set of keys/],
  [
    "a back-channel URI with a fragment",
    { ...shopWeb, backchannelLogoutUri: "https://shop.example.com/out#now" },
    /^backchannelLogoutUri has a fragment/,
  ],
  [
    "a back-channel URI that leads inside",
    { ...shopWeb, backchannelLogoutUri: "https://169.254.169.254/latest/meta-data" },
    /^backchannelLogoutUri leads inside/,
  ],
  [
    "a back-channel URI without TLS, even on this machine",
    { ...shopWeb, backchannelLogoutUri: "http://localhost:3001/out" },
    /^backchannelLogoutUri is not https/,
  ],
  [
    "a back-channel URI of a client that signs nobody in",
    { ...billingApi, backchannelLogoutUri: "https://billing.example.com/out" },
    /^backchannelLogoutUri is of no use/,
  ],
  [
    "a way of being told without an address",
    { ...shopWeb, backchannelLogoutSessionRequired: false },
    /^backchannelLogoutSessionRequired has no meaning/,
  ],
])("%s is refused", (_what, settings, expected) => {
  expect(clientFaults(settings)).toMatch(expected);
});

test("a client with a back-channel URI is told of the session unless it cannot tell sessions apart", () => {
  const told = { ...shopWeb, backchannelLogoutUri: "https://shop.example.com/out?app=1" };
  expect(parseClientSettings(shopWeb).metadata.backchannelLogoutSessionRequired).toBeUndefined();
  expect(parseClientSettings(told).metadata.backchannelLogoutSessionRequired).toBe(true);
  const { metadata } = parseClientSettings({ ...told, backchannelLogoutSessionRequired: false });
  expect(metadata.backchannelLogoutSessionRequired).toBe(false);
});

test("a back-channel URI may lead inside, and be http, where the operator allows it", () => {
  const addresses = createAddressPolicy(["10.0.0.0/8"]);
  const settings = { ...shopWeb, backchannelLogoutUri: "http://10.1.2.3/out" };
  expect(parseClientSettings(settings, addresses).metadata.backchannelLogoutUri).toBe("http://10.1.2.3/out");
});

test("an operator may exempt a confidential client from PKCE", () => {
  const { metadata } = parseClientSettings({ ...shopWeb, authMethod: "client_secret_post", requirePkce: false });
  expect(metadata.requirePkce).toBe(false);
});

test("public keys and 50 redirect URIs are accepted", () => {
  const redirectUris = Array.from({ length: 50 }, (_, at) => `https://shop.example.com/${at}`);
  const settings = { ...shopWeb, redirectUris, authMethod: "private_key_jwt", jwks: { keys: [publicKey] } };
  expect(parseClientSettings(settings).metadata.jwks?.keys).toEqual([publicKey]);
});

test("a resource server issues JWTs of five minutes unless it says otherwise", () => {
  expect(parseResourceServerSettings({ identifier: "https://api.example.com", name: "API" })).toEqual({
    identifier: "https://api.example.com",
    name: "API",
    scopes: [],
    accessTokenFormat: "jwt",
    accessTokenAlgorithm: "ES256",
    accessTokenSeconds: 300,
  });
});

test("a resource server's faults are reported at once", () => {
  const settings = {
    identifier: "api",
    scopes: [
      { name: "openid", description: "x" },
      { name: "a b", description: "x" },
    ],
    accessTokenSeconds: 86_401,
    ttl: 1,
  };
  expect(faultsOf(() => parseResourceServerSettings(settings))).toEqual([
    "identifier is not an absolute URI",
    "name is missing",
    "scopes[0].name is a scope of OpenID Connect; choose another name",
    expect.stringMatching(/^scopes\[1\]\.name has characters/),
    "accessTokenSeconds is not a whole number from 1 to 86400",
    expect.stringMatching(/^ttl is not a known key/),
  ]);
});
