import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Koa, { type Context } from "koa";
import { expect, test } from "vitest";
import { letGoWhenAnswered } from "./answered-contexts.ts";

test("a context holds nothing of its request once the answer has left, and all of it before", async () => {
  const seen: Context[] = [];
  const app = new Koa();
  app.use(async (ctx, next) => {
    await next();
    expect(ctx.state["requestId"]).toBe("one");
    expect(ctx["oidc"]).toEqual({ entities: { Client: "shopWeb" } });
    seen.push(ctx);
  });
  app.use(letGoWhenAnswered);
  app.use((ctx) => {
    ctx.state["requestId"] = "one";
    const oidc = { entities: { Client: "shopWeb" } };
    Object.defineProperty(ctx, "oidc", { get: () => oidc });
    ctx.body = "answered";
  });
  const answer = app.callback();
  const server = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("answered");
  server.close();
  await once(server, "close");
  const [ctx] = seen;
  expect(ctx).toMatchObject({ req: undefined, res: undefined, request: undefined, response: undefined, state: {} });
  expect(ctx?.["oidc"]).toEqual({ entities: undefined });
});
