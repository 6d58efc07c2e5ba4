import { describe, expect, test } from "vitest";
import { originFault, redirectUriFault, resourceIdentifierFault, webOriginsOf, webUriFault } from "./uris.ts";

describe("a redirect URI", () => {
  test.each([
    "https://shop.example.com/callback",
    "https://shop.example.com",
    "https://shop.example.com/callback?tenant=a",
    "http://localhost:3001/",
    "http://127.0.0.1/callback",
    "http://[::1]:8080/callback",
    "http://shop.localhost:3001/callback",
    "com.example.shop:/callback",
  ])("%s is accepted", (uri) => {
    expect(redirectUriFault(uri)).toBeUndefined();
  });

  test.each([
    ["http://shop.example.com/callback", "is not https"],
    ["http://localhost.example.com/callback", "is not https"],
    ["https://shop.example.com/callback#x", "has a fragment"],
    ["https://shop.example.com/callback#", "has a fragment"],
    ["https://*.example.com/callback", "has a wildcard"],
    ["https://shop.example.com/*", "has a wildcard"],
    ["https://alice@shop.example.com/callback", "has a user name"],
    ["https://alice:pw@shop.example.com/callback", "has a user name"],
    ["https://@shop.example.com/callback", "has a user name"],
    ["com.example.shop://alice@host/callback", "has a user name"],
    ["javascript:alert(1)", "is neither https nor"],
    ["JavaScript:alert(1)", "is neither https nor"],
    ["data:text/html,x", "is neither https nor"],
    ["shop:/callback", "is neither https nor"],
    ["ftp://shop.example.com/", "is neither https nor"],
    ["/callback", "is not an absolute URI"],
    ["https://", "is not an absolute URI"],
    ["java\tscript:alert(1)", "has spaces"],
    ["https://shop.example.com/call back", "has spaces"],
    ["https://shop.example.com\\@evil.example/", "has spaces"],
    ["https://shop.example.com/\u0000", "has spaces"],
    ["https://shöp.example.com/", "has spaces"],
    ["HTTPS://shop.example.com/callback", "write https://shop.example.com/callback"],
    ["https://shop.example.com:443/callback", "write https://shop.example.com/callback"],
    ["https://shop.example.com/a/../callback", "write https://shop.example.com/callback"],
    ["https:shop.example.com/callback", "write https://shop.example.com/callback"],
    [`https://shop.example.com/${"a".repeat(2_000)}`, "is longer than"],
  ])("%s is refused: %s [RFC 9700 2.1]", (uri, problem) => {
    expect(redirectUriFault(uri)).toContain(problem);
  });
});

test("a page's address is https, or http on this machine", () => {
  expect(webUriFault("https://example.com/privacy#contact")).toBeUndefined();
  expect(webUriFault("http://localhost:3001")).toBeUndefined();
  expect(webUriFault("http://example.com")).toContain("is not https");
  expect(webUriFault("javascript:alert(1)")).toContain("is not an https address");
});

test("an allowed origin has no path", () => {
  expect(originFault("https://shop.example.com")).toBeUndefined();
  expect(originFault("https://shop.example.com/")).toBe("is not an origin; write https://shop.example.com");
  expect(originFault("null")).toBe("is not an absolute URI");
});

test("a resource server's identifier has no fragment [RFC 8707 2]", () => {
  expect(resourceIdentifierFault("https://api.example.com")).toBeUndefined();
  expect(resourceIdentifierFault("urn:example:billing")).toBeUndefined();
  expect(resourceIdentifierFault("https://api.example.com/#a")).toContain("has a fragment");
  expect(resourceIdentifierFault("billing")).toBe("is not an absolute URI");
});

test("origins come from web addresses only, each once", () => {
  const uris = ["https://shop.example.com/a", "https://shop.example.com/b", "com.example.shop:/callback"];
  expect(webOriginsOf(uris)).toEqual(["https://shop.example.com"]);
});
