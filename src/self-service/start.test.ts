import { expect, test } from "vitest";
import { alice, ask, csrf, get, SESSION, type TestScene } from "../../test/support/account-pages.ts";

const signOut = (token: string, scene: TestScene = {}, headers = {}) =>
  ask(scene, { method: "POST", path: "/account/sign-out", body: `csrf=${encodeURIComponent(token)}`, headers });
const ENDED = [["end session", expect.anything()]];

test("the start page of a trial says so and leads to the demo first", async () => {
  const { body } = await get("/", { settings: { mode: "embedded", demoUrl: "http://localhost:3001" } });
  expect(body).toContain("This is a trial");
  expect(body).toContain('<a class="btn" href="http://localhost:3001">Open the demo app</a>');
});

test("elsewhere the start page leads to the account", async () => {
  const { body } = await get("/");
  expect(body).not.toContain("trial");
  expect(body).toContain('<a class="btn" href="/account">');
  expect(body).toContain('href="/create-account"');
});

test("closed registration has no link and no page", async () => {
  const scene: TestScene = { settings: { registration: "closed" } };
  expect((await get("/", scene)).body).not.toContain("/create-account");
  expect(await get("/create-account", scene)).toMatchObject({ status: 404 });
});

test("where accounts are by invitation, who wants one is told how to get one", async () => {
  const scene: TestScene = { settings: { registration: "invitation" } };
  expect((await get("/", scene)).body).not.toContain("/create-account");
  const { status, body } = await get("/create-account", scene);
  expect(status).toBe(200);
  expect(body).toContain("By invitation only");
});

test.each([
  ["/sign-in", "/auth?page=sign-in&to="],
  ["/create-account", "/auth?page=create-account&to="],
  ["/account/signed-in?code=1&state=2", "/account"],
  ["/account/signed-in?code=1&state=%2Faccount%2Fdevices", "/account/devices"],
  ["/account/signed-in?state=%2Faccount%2Femail%2Fconfirm%3Ftoken%3Dab.C-_", "/account/email/confirm?token=ab.C-_"],
  ["/account/signed-in?state=%2Faccount%2Femail%2Fconfirm%3Ftoken%3Da%26b%3Dc", "/account"],
])("%s leads on to %s", async (path, location) => {
  expect(await get(path)).toMatchObject({ status: 303, headers: { location } });
});

const ELSEWHERE = `
  https://evil.example //evil.example /\\evil.example /account/../../evil /account/devices/ /account/devices?x=1
  /account/devices#x /account//evil.example javascript:alert(1) /account/signed-in /account/sign-out /ACCOUNT/DEVICES
  /account/devices/end /account/data.json /authorize /account%2Fdevices account/devices`
  .trim()
  .split(/\s+/);

test.each([...ELSEWHERE, "", " /account/devices", "/account/devices\r\nx: y"])(
  "a return to %j leads to the account instead [ASVS 10.2.1]",
  async (state) => {
    const answer = await get(`/account/signed-in?code=1&state=${encodeURIComponent(state)}`);
    expect(answer).toMatchObject({ status: 303, headers: { location: "/account" } });
  },
);

test("a return to two places at once leads to the account", async () => {
  const answer = await get("/account/signed-in?state=/account/devices&state=/account/apps");
  expect(answer.headers.location).toBe("/account");
});

test("signing out ends the session and leads to the page that says so", async () => {
  const answer = await signOut(csrf);
  expect(answer).toMatchObject({ status: 303, headers: { location: "/signed-out" }, calls: ENDED });
});

test("another site cannot sign anybody out [ASVS 3.5.1]", async () => {
  expect(await signOut("forged")).toMatchObject({ status: 403, calls: [] });
  expect(await signOut(csrf, {}, { "sec-fetch-site": "cross-site" })).toMatchObject({ status: 403, calls: [] });
});

test("signing out twice is no error", async () => {
  expect(await signOut("stale", { session: undefined })).toMatchObject({ status: 303, calls: [] });
});

test("a sign-in that came back with an error gets a page, whatever the error says", async () => {
  for (const error of ["access_denied", "<script>alert(1)</script>", "a&error=b"]) {
    const { status, body } = await get(`/account/signed-in?error=${error}`);
    expect(status).toBe(400);
    expect(body).toContain("Not signed in");
    expect(body).not.toContain("alert(1)");
  }
});

test("the page after signing out offers to sign in again", async () => {
  expect((await get("/signed-out")).body).toContain('<a class="btn" href="/sign-in">Sign in again</a>');
});

test("the page after the end of an account says so, and offers no sign-in", async () => {
  const { body } = await get("/signed-out?done=account-deleted");
  expect(body).toContain("<h1>Your account is deleted</h1>");
  expect(body).not.toContain("/sign-in");
});

test.each([
  ["deleted", undefined],
  ["disabled", { ...alice, disabledAt: new Date(0) }],
])("the session of a %s account is ended", async (_, account) => {
  const answer = await get("/account", { account, session: SESSION });
  expect(answer).toMatchObject({ status: 303, headers: { location: "/signed-out" }, calls: ENDED });
});
