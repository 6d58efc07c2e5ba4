import type { Context } from "koa";
import { expect, test } from "vitest";
import { AppError } from "../core/index.ts";
import { askApp } from "../http/test-server.ts";
import { createTestToolkit } from "../http/test-toolkit.ts";
import type { ProtocolFailure, ProtocolPages } from "../oidc/index.ts";
import { createProtocolPages } from "./protocol-pages.ts";
import { alice, shopWeb } from "./test-cast.ts";

async function draw(page: (pages: ProtocolPages, ctx: Context) => Promise<void>) {
  const { around, views, failurePages, logged } = createTestToolkit();
  const pages = createProtocolPages({ views, failurePages, accounts: { find: async () => alice } });
  const answer = await askApp([...around, (ctx) => page(pages, ctx)], { headers: { accept: "text/html" } });
  return { ...answer, log: logged() };
}

const failure: ProtocolFailure = {
  error: "invalid_request",
  status: 400,
  cause: new Error("refused"),
  client: undefined,
  restartUrl: undefined,
};
const drawError = (facts: Partial<ProtocolFailure>) =>
  draw((pages, ctx) => pages.renderError(ctx, { ...failure, ...facts }));

test.each<[facts: Partial<ProtocolFailure>, heading: string]>([
  [{ error: "invalid_client" }, "This app can’t sign you in here"],
  [{ error: "invalid_redirect_uri" }, "This app can’t sign you in here"],
  [{ error: "invalid_request" }, "This sign-in can’t go on"],
  [{ error: "invalid_request", restartUrl: "/auth?again" }, "This sign-in has expired"],
  [{ cause: Object.assign(new Error("over"), { name: "SessionNotFound" }) }, "This sign-in has expired"],
  [{ error: "access_denied" }, "Not signed in"],
  [{ error: "server_error", status: 500 }, "Something went wrong"],
  [{ error: "temporarily_unavailable", status: 503 }, "We can’t reach our records"],
])("the failure %o reads as: %s", async (facts, heading) => {
  const { status, body } = await drawError(facts);
  expect(status).toBe(facts.status ?? 400);
  expect(body).toContain(`<h1>${heading}</h1>`);
});

test("a store that is away is told as such, with when to come back", async () => {
  const cause = new AppError("STORE_UNAVAILABLE", { retryAfterSeconds: 5 });
  const { body, headers } = await drawError({ error: "server_error", status: 503, cause });
  expect(body).toContain("We can’t reach our records");
  expect(headers["retry-after"]).toBe("5");
});

test("the code of the protocol is in the log and not on the page", async () => {
  const { body, log } = await drawError({ error: "invalid_client" });
  expect(log).toContain('"reason":"invalid_client"');
  expect(body).not.toContain("invalid_client");
});

test("a failure leads on where the request is known, else back to the app, else to the account", async () => {
  const firstWay = ({ body }: { readonly body: string }) => /<a class="btn" href="([^"]*)"/.exec(body)?.[1];
  expect(firstWay(await drawError({ restartUrl: "/auth?again", client: shopWeb }))).toBe("/auth?again");
  expect(firstWay(await drawError({ client: shopWeb }))).toBe("https://shop.example.com/");
  expect(firstWay(await drawError({}))).toBe("/account");
});

const signOutPage = {
  action: "/session/end/confirm",
  xsrf: "secret-1",
  client: shopWeb,
  accountId: alice.id,
  returnUri: "https://shop.example.com/bye",
};

test("signing out is asked about, and confirmed by one of two buttons [ASVS 10.6.2]", async () => {
  const { status, body, headers } = await draw((pages, ctx) => pages.renderSignOut(ctx, signOutPage));
  expect(status).toBe(200);
  expect(body).toContain('action="/session/end/confirm"');
  expect(body).toContain('<input type="hidden" name="xsrf" value="secret-1">');
  expect(body).toContain('name="logout" value="yes"');
  expect(body).toContain("<strong>alice@example.com</strong>");
  expect(headers["content-security-policy"]).toContain("form-action 'self' https://shop.example.com;");
});

test("signed out, the way back to the app comes first", async () => {
  const { body } = await draw((pages, ctx) => pages.renderSignedOut(ctx, { client: shopWeb }));
  expect(body).toContain('<a class="btn" href="https://shop.example.com/">Back to Shop</a>');
});
