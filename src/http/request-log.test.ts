import type { Context } from "koa";
import { describe, expect, test } from "vitest";
import { AppError } from "../core/index.ts";
import { createLogger, noteFacts } from "../observability/index.ts";
import { message } from "./messages.ts";
import { type AnsweredRequest, createRequestLog } from "./request-log.ts";
import { createRoutes } from "./routes.ts";
import { askApp, type TestRequest } from "./test-server.ts";
import { createTestToolkit, ISSUER } from "./test-toolkit.ts";
import { createHostCheck } from "./host-check.ts";

const PAGE = { accept: "text/html" };

/** What the log says of one request; the last line is the request's own. */
async function linesOf(step: (ctx: Context) => void, sent: TestRequest = {}, toolkit = createTestToolkit()) {
  const routes = createRoutes({
    "GET /things/:id": async (ctx) => step(ctx),
    "POST /things/:id": async (ctx) => step(ctx),
  });
  const answer = await askApp([...toolkit.around, routes], { path: "/things/seven", headers: PAGE, ...sent });
  const lines = toolkit
    .logged()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { answer, lines, last: lines.at(-1) };
}

const reply = (status: number) => (ctx: Context) => {
  ctx.status = status;
  ctx.body = "x";
};

describe("the line of a request", () => {
  test.each([
    [200, "ok"],
    [303, "ok"],
    [404, "refused"],
    [429, "refused"],
    [501, "refused"],
    [500, "failed"],
    [503, "failed"],
  ])("with status %d says that it was %s", async (status, outcome) => {
    expect((await linesOf(reply(status))).last).toMatchObject({ msg: "request", status, outcome });
  });

  test("names the pattern of the path that answered, and none where nothing does", async () => {
    expect((await linesOf(reply(200))).last).toMatchObject({ route: "/things/:id", path: "/things/seven" });
    const { last } = await linesOf(reply(200), { path: "/nothing/here" });
    expect(last).toMatchObject({ status: 404, outcome: "refused", reason: "PAGE_NOT_FOUND" });
    expect(last).not.toHaveProperty("route");
  });

  test("has the code of what was refused, and is refused whatever the status", async () => {
    const { last } = await linesOf((ctx) => {
      noteFacts(ctx, { reason: "login_required" });
      ctx.redirect("https://shop.example.com/?error=login_required");
    });
    expect(last).toMatchObject({ status: 302, outcome: "refused", reason: "login_required" });
  });

  test("has the code of what was thrown", async () => {
    const { last } = await linesOf(() => {
      throw new AppError("HASHING_BUSY");
    });
    expect(last).toMatchObject({ status: 503, outcome: "failed", reason: "HASHING_BUSY" });
    const { last: bug } = await linesOf(() => {
      throw new Error("a bug");
    });
    expect(bug).toMatchObject({ status: 500, outcome: "failed", reason: "SERVER_ERROR" });
  });

  test("has the name of the sentence that a form was answered with", async () => {
    const toolkit = createTestToolkit();
    const { last } = await linesOf(
      (ctx) => {
        const fieldErrors = [{ field: "email", message: message("field.email.invalid") }];
        const data = { ways: [] };
        toolkit.views.render(
          ctx,
          "signed-out",
          { title: message("signedOut.title"), fieldErrors, data },
          { status: 400 },
        );
      },
      { method: "POST" },
      toolkit,
    );
    expect(last).toMatchObject({ status: 400, outcome: "refused", reason: "field.email.invalid" });
  });

  test("has the reference that the page shows, and so has the line with the cause", async () => {
    const { answer, lines, last } = await linesOf(() => {
      throw new Error("a bug");
    });
    const [, reference] = /<code[^>]*>([^<]+)<\/code>/.exec(answer.body) ?? [];
    expect(reference).toMatch(/^[\w-]{4,}$/);
    const cause = lines.find(({ msg }) => msg === "request failed");
    expect(cause).toMatchObject({ reference, cause: { message: "a bug" } });
    expect(last).toMatchObject({ reference, requestId: cause?.["requestId"] });
    expect(answer.headers["x-request-id"]).toBe(last?.["requestId"]);
  });

  test("has the code of a host that is not ours", async () => {
    const toolkit = createTestToolkit();
    await askApp([...toolkit.around, createHostCheck(ISSUER)], { headers: { host: "mallory.example.com" } });
    expect(JSON.parse(toolkit.logged())).toMatchObject({ status: 421, reason: "HOST_UNKNOWN", outcome: "refused" });
  });
});

test("whoever counts is told the same as the log, and how long it took by a clock that nobody sets", async () => {
  const answered: AnsweredRequest[] = [];
  const log = createRequestLog({
    logger: createLogger({ level: "silent" }),
    onAnswered: (request) => void answered.push(request),
  });
  const routes = createRoutes({ "GET /things/:id": async (ctx) => reply(200)(ctx) });
  await askApp([log, routes], { path: "/things/seven?code=secret" });
  expect(answered).toEqual([
    { method: "GET", route: "/things/:id", status: 200, outcome: "ok", reason: undefined, tookMs: expect.any(Number) },
  ]);
  expect(answered[0]?.tookMs).toBeGreaterThan(0);
});
