import type { Context } from "koa";
import { expect, test } from "vitest";
import { allowFormAction, allowImageFrom } from "./content-security-policy.ts";
import { createSecurityHeaders } from "./security-headers.ts";
import { askApp } from "./test-server.ts";

async function policyAfter(widen: (ctx: Context) => void): Promise<readonly string[]> {
  const { headers } = await askApp([
    createSecurityHeaders("https://id.example.com"),
    async (ctx) => {
      widen(ctx);
      ctx.body = "x";
    },
  ]);
  return String(headers["content-security-policy"]).split("; ");
}

test.each([
  ["https://shop.example.com/callback?x=1#y", "'self' https://shop.example.com"],
  ["http://127.0.0.1:8123/cb", "'self' http://127.0.0.1:8123"],
  ["com.example.app:/callback", "'self' com.example.app:"],
  ["http://[::1]:8123/cb", "'self' http:"],
])("a form may lead to %s through the source that follows 'self' in: %s", async (target, sources) => {
  expect(await policyAfter((ctx) => allowFormAction(ctx, [target]))).toContain(`form-action ${sources}`);
});

test.each([
  "javascript:alert(1)",
  "data:text/html,x",
  "blob:https://shop.example.com/1",
  "file:///etc",
  "no url",
  "*",
  "",
])("a form may not lead to %j", async (target) => {
  expect(await policyAfter((ctx) => allowFormAction(ctx, [target]))).toContain("form-action 'self'");
});

test("a target cannot smuggle another directive into the policy", async () => {
  const policy = await policyAfter((ctx) => allowFormAction(ctx, ["https://a.example;script-src *"]));
  expect(policy).toContain("script-src");
  expect(policy).toContain("form-action 'self'");
});

test("allowing twice adds both origins once", async () => {
  const policy = await policyAfter((ctx) => {
    allowFormAction(ctx, ["https://a.example/1", "https://a.example/2"]);
    allowFormAction(ctx, ["https://b.example"]);
  });
  expect(policy).toContain("form-action 'self' https://a.example https://b.example");
});

test.each([
  ["https://cdn.example.com/logo.png", "img-src 'self' data: https://cdn.example.com"],
  ["http://cdn.example.com/logo.png", "img-src 'self' data:"],
  ["javascript:alert(1)", "img-src 'self' data:"],
  ["nonsense", "img-src 'self' data:"],
])("an image from %s makes the policy say: %s", async (url, directive) => {
  expect(await policyAfter((ctx) => allowImageFrom(ctx, url))).toContain(directive);
});
