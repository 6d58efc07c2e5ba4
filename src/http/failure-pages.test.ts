import type { Context } from "koa";
import { expect, test } from "vitest";
import { AppError } from "../core/index.ts";
import { askApp, type TestRequest } from "./test-server.ts";
import { createTestToolkit } from "./test-toolkit.ts";

const PAGE = { accept: "text/html,application/xhtml+xml" };
const JSON_ONLY = { accept: "application/json" };

async function answerTo(route: (ctx: Context) => void, sent: TestRequest = { headers: PAGE }) {
  const { around, logged } = createTestToolkit();
  const answer = await askApp([...around, async (ctx) => route(ctx)], sent);
  const reference = /[2-9B-Z]{4}-[2-9B-Z]{4}/.exec(answer.body)?.[0] ?? "none";
  return { ...answer, reference, log: logged() };
}

const fail = (error: unknown) => (): never => {
  throw error;
};

test("an expected failure gets its page, its status and when to come back", async () => {
  const answer = await answerTo(fail(new AppError("STORE_UNAVAILABLE", { retryAfterSeconds: 5 })));
  expect(answer.status).toBe(503);
  expect(answer.headers).toMatchObject({ "retry-after": "5", "cache-control": "no-store" });
  expect(answer.body).toContain("You can try again in 5 seconds.");
});

test("the reference on the page leads to the log line, with its reason and request id", async () => {
  const { reference, log, headers } = await answerTo(fail(new AppError("CSRF_INVALID", { detail: "wrong token" })));
  const line = log.split("\n").find((text) => text.includes(reference)) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({
    reference,
    reason: "CSRF_INVALID",
    detail: "wrong token",
    status: 403,
    requestId: headers["x-request-id"],
  });
});

test("a bug is a 500 page that says nothing about it, and a log line that does", async () => {
  const { status, body, log } = await answerTo(fail(new Error("column secret_sauce is missing")));
  expect(status).toBe(500);
  expect(body).not.toMatch(/secret_sauce|\.ts|Error:/);
  expect(log).toContain("secret_sauce");
});

test("what a driver hangs onto its error is not logged", async () => {
  const error = Object.assign(new Error("duplicate key"), { detail: "Key (email)=(alice@example.com) exists" });
  const { log } = await answerTo(fail(error));
  expect(log).toContain("duplicate key");
  expect(log).not.toContain("alice");
});

test.each([null, undefined, "text", { status: 200 }])("throwing %o is a 500 page as well", async (thrown) => {
  expect(await answerTo(fail(thrown))).toMatchObject({ status: 500 });
});

test("an address without a page gets one that leads on", async () => {
  const { status, body } = await answerTo(() => {});
  expect(status).toBe(404);
  expect(body).toContain("There is no such page");
  expect(body).toContain('<a class="btn" href="/">');
});

test("a client error that Koa throws keeps its status", async () => {
  expect(await answerTo((ctx) => ctx.throw(415, "no"))).toMatchObject({ status: 415 });
});

test("an answer that has a body is left alone", async () => {
  const answer = await answerTo((ctx) => {
    ctx.status = 400;
    ctx.body = { error: "invalid_request" };
  });
  expect(answer).toMatchObject({ status: 400, body: '{"error":"invalid_request"}' });
});

test("a client that takes no HTML gets JSON", async () => {
  const answer = await answerTo(fail(new AppError("STORE_UNAVAILABLE")), { headers: JSON_ONLY });
  expect(JSON.parse(answer.body)).toEqual({
    error: "temporarily_unavailable",
    error_description: "This server cannot reach its storage right now. Try again shortly.",
    reference: answer.reference,
  });
});

test("a store's own error is translated before it is answered", async () => {
  const { around } = createTestToolkit(() => new AppError("STORE_UNAVAILABLE"));
  const answer = await askApp([...around, fail(new Error("ECONNREFUSED"))], { headers: PAGE });
  expect(answer.status).toBe(503);
});

test("the line of a request has no query and no ids", async () => {
  const path = "/interaction/GBlpRzkmvqeKsMfFwBXHz/sign-in?r=sealed&code=secret";
  const { log } = await answerTo(
    (ctx) => {
      ctx.body = "x";
    },
    { path },
  );
  const line = JSON.parse(log.trim()) as unknown;
  expect(line).toMatchObject({ method: "GET", path: "/interaction/:id/sign-in", status: 200 });
});

test("a request id that the client sends is not taken over", async () => {
  const { headers } = await answerTo(() => {}, { headers: { "x-request-id": "forged" } });
  expect(headers["x-request-id"]).toMatch(/^[\w-]{16}$/);
});
