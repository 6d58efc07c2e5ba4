import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { createSealer } from "../core/index.ts";
import { createRestarts, createRestartTokens } from "./restarts.ts";

const HOUR_SECONDS = 60 * 60;
const shop = {
  client_id: "shopWeb",
  scope: "openid",
  state: "s",
  resource: ["https://a.example", "https://b.example"],
};

function createScene() {
  let nowMs = Date.UTC(2026, 0, 1);
  const sealer = createSealer(["a secret of thirty-two bytes or more"]);
  const restartTokens = createRestartTokens({ sealer, clock: { nowMs: () => nowMs } });
  const restarts = createRestarts({
    issuer: "https://id.example.com",
    restartTokens,
    pushedRequests: { pushAgain: async (clientId) => `urn:pushed-by-${clientId}`, endAnswered: async () => undefined },
    describeClient: async () => undefined,
  });
  const advanceSeconds = (seconds: number): void => {
    nowMs += seconds * 1000;
  };
  return { restartTokens, restarts, sealer, advanceSeconds };
}

test("a restart token gives back the request that it was issued for, for 24 hours", () => {
  const { restartTokens, advanceSeconds } = createScene();
  const token = restartTokens.issue({ params: shop });
  advanceSeconds(24 * HOUR_SECONDS);
  expect(restartTokens.read(token)).toEqual({ clientId: "shopWeb", params: shop, pushed: false });
  advanceSeconds(1);
  expect(restartTokens.read(token)).toBeUndefined();
});

test("a restart token that is larger than a request may be, or holds none, is worth nothing", () => {
  const { restartTokens, sealer } = createScene();
  const states = ["a".repeat(20_000), randomBytes(9_000).toString("hex")];
  for (const state of states)
    expect(restartTokens.read(restartTokens.issue({ params: { ...shop, state } }))).toBe(undefined);
  for (const text of ["", "not deflated", "{}"]) {
    const token = sealer.seal("authorization-request", Buffer.from(text)).toString("base64url");
    expect(restartTokens.read(token)).toBeUndefined();
  }
  expect(restartTokens.read(restartTokens.issue({ params: { scope: "openid" } }))).toBeUndefined();
});

test.each([
  [undefined, "login"],
  ["consent", "login consent"],
  ["login", "login"],
  ["create", "login"],
  ["none", "login"],
  ["create  consent login", "login consent"],
])("for another account, prompt=%s becomes prompt=%s", async (prompt, expected) => {
  const { restartTokens, restarts } = createScene();
  const token = restartTokens.issue({ params: { ...shop, prompt } });
  const url = new URL((await restarts.restartForAnotherAccount(token)) ?? "");
  expect(url.searchParams.get("prompt")).toBe(expected);
  expect(url.searchParams.get("state")).toBe("s");
  expect(url.searchParams.getAll("resource")).toEqual(shop.resource);
});

test("a request that was pushed is pushed again", async () => {
  const { restartTokens, restarts } = createScene();
  const token = restartTokens.issue(Object.assign({ params: shop }, { parJti: "id" }));
  const { searchParams } = new URL((await restarts.restartForAnotherAccount(token)) ?? "");
  expect(Object.fromEntries(searchParams)).toEqual({ client_id: "shopWeb", request_uri: "urn:pushed-by-shopWeb" });
});
