import { expect, test } from "vitest";
import { cookieHeader, judgeCookie } from "./browser-cookies.ts";
import { ISSUER, newPage } from "./deployment-fixture.ts";
import { walkToSignIn } from "./walk-to-sign-in.ts";
import type { ReadPage } from "./web.ts";

const HTTPS = `${ISSUER}/account`;
const PLAIN = "http://id.example.com/account";
const LOOPBACK = "http://localhost:3000/account";

test.each([
  [HTTPS, "__Host-a=1; Path=/; Secure", undefined],
  [HTTPS, "__Host-a=1; Path=/", "its name demands Secure"],
  [HTTPS, "__Host-a=1; Secure", "its name demands Path=/"],
  [HTTPS, "__Host-a=1; Path=/x; Secure", "its name demands Path=/"],
  [HTTPS, "__Host-a=1; Path=/; Secure; Domain=id.example.com", "its name forbids a Domain"],
  [HTTPS, "__Secure-a=1; Path=/x; Secure", undefined],
  [HTTPS, "__Secure-a=1; Path=/x", "its name demands Secure"],
  [HTTPS, "a=1; Domain=.example.com", undefined],
  [HTTPS, "a=1; Domain=example.org", "its Domain is another one"],
  [HTTPS, "a=1; SameSite=None", "it is SameSite=None without Secure"],
  [PLAIN, "__Host-a=1; Path=/; Secure", "it is Secure, and the page is not https"],
  [PLAIN, "a=1", undefined],
  [LOOPBACK, "a=1; Secure", undefined],
  [HTTPS, `a=${"x".repeat(4_095)}`, undefined],
  [HTTPS, `a=${"x".repeat(4_096)}`, "it is longer than 4096 bytes"],
])("case %#: at %s, %.60s", (url, header, refusal) => {
  expect(judgeCookie(header, url).refusal).toBe(refusal);
});

test("a cookie is sent within its path, and not when it was refused or cleared", () => {
  const judged = ["a=1; path=/x", "b=2", "__Host-c=3; path=/", "d=; path=/x"].map((one) => judgeCookie(one, HTTPS));
  expect(cookieHeader(judged, `${ISSUER}/x/y`)).toBe("a=1; b=2");
  expect(cookieHeader(judged, `${ISSUER}/xy`)).toBe("b=2");
});

test("the walk takes cookies along, follows within the issuer, and ends elsewhere or at a page", async () => {
  const asked: (readonly [string, string | undefined])[] = [];
  const answers = [
    newPage("/account", { status: 303, headers: { location: "/authorize" }, setCookies: ["a=1; path=/authorize"] }),
    newPage("/authorize", { status: 303, headers: { location: "https://elsewhere.example.com/" } }),
  ];
  const readPage: ReadPage = async (url, headers) => {
    asked.push([url, headers?.["cookie"]]);
    return answers[asked.length - 1] ?? newPage("/");
  };
  expect(await walkToSignIn(ISSUER, readPage)).toEqual(answers);
  expect(asked).toEqual([
    [`${ISSUER}/account`, undefined],
    [`${ISSUER}/authorize`, "a=1"],
  ]);
});

test("a walk in circles ends", async () => {
  const readPage: ReadPage = async () => newPage("/account", { status: 303, headers: { location: "/account" } });
  expect(await walkToSignIn(ISSUER, readPage)).toHaveLength(6);
});
