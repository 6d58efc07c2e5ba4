import { Provider } from "oidc-provider";
import { expect, test } from "vitest";
import { findGrantType } from "./internals.ts";

const provider = new Provider("https://id.example.com", {
  features: { devInteractions: { enabled: false }, resourceIndicators: { enabled: true } },
  scopes: ["openid", "offline_access"],
});

test("the library's own refresh is found, with the parameters that it takes", () => {
  const { handler, parameters, duplicates } = findGrantType(provider, "refresh_token");
  expect(handler).toBeInstanceOf(Function);
  expect([...parameters].toSorted()).toEqual(["grant_type", "refresh_token", "resource", "scope"]);
  expect([...duplicates]).toEqual(["resource"]);
});

test("a grant type that is not there is a mistake of ours", () => {
  expect(() => findGrantType(provider, "password")).toThrow("no grant type password");
});
