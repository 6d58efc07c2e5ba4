import { expect, test } from "vitest";
import { createSecurityHeaders } from "./security-headers.ts";
import { askApp } from "./test-server.ts";

const askWith = (issuer: string) =>
  askApp([
    createSecurityHeaders(issuer),
    async (ctx) => {
      ctx.body = "x";
    },
  ]);

test("every answer carries the headers of the security bar [ASVS 3.4]", async () => {
  const { headers } = await askWith("https://id.example.com");
  expect(headers).toMatchObject({
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
  });
});

test("the policy allows no script, no inline code and no framing [ASVS 3.4.3]", async () => {
  const { headers } = await askWith("https://id.example.com");
  const directives = String(headers["content-security-policy"]).split("; ");
  expect(directives).toEqual([
    "default-src 'none'",
    "script-src",
    "style-src 'self'",
    "img-src 'self' data:",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]);
});

test("an issuer without https asks for no HSTS", async () => {
  const { headers } = await askWith("http://localhost:3000");
  expect(headers["strict-transport-security"]).toBeUndefined();
});
