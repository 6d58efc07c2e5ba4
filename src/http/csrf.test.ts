import { expect, test } from "vitest";
import { createAuthenticator } from "../core/index.ts";
import { createCsrf } from "./csrf.ts";
import { askApp } from "./test-server.ts";
import { createTestToolkit, ISSUER } from "./test-toolkit.ts";

const authenticator = createAuthenticator(["a test secret of more than 32 bytes, 0123456789"]);
const csrf = createCsrf({ authenticator, issuer: ISSUER });
const goodToken = csrf.token("uid-1");

async function statusOf(token: string | undefined, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const { failurePages } = createTestToolkit();
  const answer = await askApp(
    [
      failurePages.middleware,
      async (ctx) => {
        csrf.check(ctx, "uid-1", token);
        ctx.body = "done";
      },
    ],
    { method: "POST", headers },
  );
  return answer.status;
}

test("a form with the token of its page is taken [ASVS 3.5.1]", async () => {
  expect(await statusOf(goodToken)).toBe(200);
});

test.each([
  ["no token", undefined],
  ["an empty token", ""],
  ["another page's token", csrf.token("uid-2")],
  ["a token that is cut off", goodToken.slice(0, -2)],
])("a form with %s is refused [ASVS 3.5.1]", async (_, token) => {
  expect(await statusOf(token)).toBe(403);
});

test.each([
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" },
  { "sec-fetch-site": "cross-site", origin: ISSUER },
  { origin: "https://evil.example.com" },
  { origin: "http://id.example.com" },
])("a form that the browser says another site sent is refused even with the right token: %o", async (headers) => {
  expect(await statusOf(goodToken, headers)).toBe(403);
});

test.each([
  { "sec-fetch-site": "same-origin", origin: "null" },
  { "sec-fetch-site": "none" },
  { origin: ISSUER },
  { origin: "null" },
])("a form of our own page is taken whatever the browser tells: %o", async (headers) => {
  expect(await statusOf(goodToken, headers)).toBe(200);
});

test("a token of an older secret still counts after the secret was rotated", () => {
  const rotated = createAuthenticator(["the newer secret of more than 32 bytes 9876543210", "old ".repeat(10)]);
  const before = createCsrf({ authenticator: createAuthenticator(["old ".repeat(10)]), issuer: ISSUER });
  expect(rotated.verify("csrf", "uid-1", before.token("uid-1"))).toBe(true);
});
