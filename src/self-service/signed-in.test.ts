import { describe, expect, test } from "vitest";
import { SELF_SERVICE_ROUTES } from "./routes.ts";
import { alice, ask, csrf, get, NOW_MS, post, SESSION, type TestScene } from "../../test/support/account-pages.ts";
import { oneApp } from "../../test/support/factors.ts";

const ACCOUNT_ROUTES = SELF_SERVICE_ROUTES.filter(
  (route) => route.includes(" /account") && !["GET /account/signed-in", "POST /account/sign-out"].includes(route),
).map((route) => route.split(" ") as ["GET" | "POST", string]);
const POSTS = ACCOUNT_ROUTES.filter(([method]) => method === "POST").map(([, path]) => path);
const NOW_SECONDS = NOW_MS / 1000;

describe("every page of the account", () => {
  test.each(ACCOUNT_ROUTES)("%s %s asks a stranger to sign in, and comes back to a page", async (method, path) => {
    const answer = await ask({ session: undefined }, { method, path, body: "" });
    expect(answer).toMatchObject({ status: 303, calls: [] });
    expect(answer.headers.location).toMatch(/^\/auth\?page=sign-in&to=\/account[/a-z-]*$/);
    expect(answer.headers.location).not.toMatch(/end|withdraw|json/);
  });

  test.each(ACCOUNT_ROUTES)(
    "%s %s asks for what is missing in a session that is not enough here",
    async (method, path) => {
      const session = { ...SESSION, isEnough: false };
      const answer = await ask({ session }, { method, path, body: "" });
      expect(answer).toMatchObject({ status: 303, calls: [] });
      expect(answer.headers.location).toMatch(/^\/auth\?page=sign-in&to=\/account/);
    },
  );

  test.each(POSTS)("%s refuses a form of another session or another site [ASVS 3.5.1]", async (path) => {
    const body = "csrf=forged";
    expect(await ask({}, { method: "POST", path, body })).toMatchObject({ status: 403, calls: [] });
    const [headers, sent] = [{ "sec-fetch-site": "cross-site" }, `csrf=${encodeURIComponent(csrf)}`];
    expect(await ask({}, { method: "POST", path, body: sent, headers })).toMatchObject({ status: 403, calls: [] });
  });

  test.each(ACCOUNT_ROUTES.filter(([method, path]) => method === "GET" && !/\.|methods\/|recovery/.test(path)))(
    "%s %s is drawn for its person alone, in their language, and kept by no cache",
    async (_, path) => {
      const { status, body, headers } = await get(path, { account: { ...alice, locale: "de-AT" } });
      expect(status).toBe(200);
      expect(headers).toMatchObject({ "cache-control": "no-store", "content-language": "de" });
      expect(body).toContain("alice@example.com");
      expect(body.match(/aria-current="page"/g)).toHaveLength(1);
      expect(body).not.toMatch(/undefined|\[object|NaN/);
    },
  );
});

/** Pages of one task each, which have no menu, and those that need to be told of which factor. */
test.each([
  ["/account/methods/app", "abcd"],
  ["/account/methods/passkey", "challenge-1"],
  ["/account/methods/rename?id=app-1", "Phone"],
  ["/account/methods/remove?id=app-1", "Phone"],
  ["/account/recovery-codes", "aaaa-bbbb"],
])("%s is drawn in the person's language and kept by no cache", async (path, shown) => {
  const session = { ...SESSION, acr: "urn:latchkey:acr:mfa" };
  const scene = { account: { ...alice, locale: "de-AT" }, session, settings: { factors: oneApp } };
  const { status, body, headers } = await get(path, scene);
  expect(status).toBe(200);
  expect(headers).toMatchObject({ "cache-control": "no-store", "content-language": "de" });
  expect(body).toContain(shown);
  expect(body).not.toMatch(/undefined|\[object|NaN/);
});

test("recovery codes come as a text file, or plain to be printed", async () => {
  const scene = { session: { ...SESSION, acr: "urn:latchkey:acr:mfa" }, settings: { factors: oneApp } };
  const file = await get("/account/recovery-codes.txt", scene);
  expect(file).toMatchObject({ status: 200, body: "aaaa-bbbb\ncccc-dddd\n" });
  expect(file.headers["content-disposition"]).toContain("attachment");
  const plain = await get("/account/recovery-codes.txt?print=1", scene);
  expect(plain.headers["content-disposition"]).toBeUndefined();
  expect(plain.headers["cache-control"]).toBe("no-store");
});

test("a name of markup is shown as text", async () => {
  const name = "<script>alert(1)</script>";
  const { body } = await get("/account", { account: { ...alice, name, email: name } });
  expect(body).toContain("&lt;script&gt;");
  expect(body).not.toContain("<script");
});

describe("a note of what was done", () => {
  test("is one of ours, whatever the address says", async () => {
    expect((await get("/account?done=profile")).body).toContain("Your profile has been saved.");
    for (const done of ["constructor", "<b>x</b>", "toString", "done&done=profile", ""]) {
      expect((await get(`/account?done=${done}`)).body).not.toContain('role="status"');
    }
  });
});

describe("a sensitive step", () => {
  const provedAt = (secondsAgo: number, acr = SESSION.acr): TestScene => ({
    session: { ...SESSION, authenticatedAt: NOW_SECONDS - secondsAgo, acr },
  });
  const withFactors = { settings: { factors: oneApp } };

  test.each([
    ["/account/delete", "/account/delete"],
    ["/account/data.json", "/account/data"],
  ])("%s wants a proof from the last 15 minutes [ASVS 7.5.1]", async (path, page) => {
    expect((await get(path, provedAt(900))).status).toBe(200);
    const location = `/again?to=${page}&age=900&acr=undefined`;
    expect(await get(path, provedAt(901))).toMatchObject({ status: 303, headers: { location } });
  });

  test("wants it for the form as well as for the page", async () => {
    const answer = await post("/account/delete", { email: alice.email }, provedAt(901));
    expect(answer).toMatchObject({ status: 303, calls: [] });
    expect(answer.headers.location).toMatch(/^\/again\?to=\/account\/delete/);
  });

  test("wants a second factor of who has one, however fresh the password is [ASVS 7.5.1]", async () => {
    const acr = "urn:latchkey:acr:mfa";
    const location = `/again?to=/account/delete&age=900&acr=${acr}`;
    expect(await get("/account/delete", { ...provedAt(0), ...withFactors })).toMatchObject({ headers: { location } });
    expect((await get("/account/delete", { ...provedAt(0, acr), ...withFactors })).status).toBe(200);
    expect((await get("/account/delete", { ...provedAt(0, "phr"), ...withFactors })).status).toBe(200);
    expect((await get("/account/delete", { ...provedAt(901, "phr"), ...withFactors })).status).toBe(303);
  });
});
