import { expect, test } from "vitest";
import { askApp, type TestRequest } from "../http/test-server.ts";
import { createTestToolkit } from "../http/test-toolkit.ts";
import { alice } from "../interaction/test-cast.ts";
import { createSelfServiceRoutes, type SelfServiceDependencies } from "./self-service-routes.ts";

const SESSION = { accountId: alice.id, sessionId: "session-1", authenticatedAt: 0 };

interface Scene extends Partial<Pick<SelfServiceDependencies, "registration" | "mode" | "demoUrl" | "accounts">> {
  readonly isSignedIn?: boolean;
}

async function ask(scene: Scene, { headers, ...sent }: TestRequest) {
  const { isSignedIn = true, ...settings } = scene;
  const { around, ...toolkit } = createTestToolkit();
  const ended: string[] = [];
  const routes = createSelfServiceRoutes({
    ...toolkit,
    sessions: {
      find: async () => (isSignedIn ? SESSION : undefined),
      end: async () => void ended.push(SESSION.sessionId),
      signInUrl: (page) => `/auth?page=${page}`,
    },
    accounts: { find: async (id) => (id === alice.id ? alice : undefined) },
    registration: "open",
    mode: "production",
    demoUrl: undefined,
    ...settings,
  });
  const answer = await askApp([...around, routes], { ...sent, headers: { accept: "text/html", ...headers } });
  return { ...answer, ended };
}

const get = (path: string, scene: Scene = {}) => ask(scene, { path });
const csrf = createTestToolkit().csrf.token(SESSION.sessionId);
const signOut = (token: string, scene: Scene = {}, headers = {}) =>
  ask(scene, { method: "POST", path: "/account/sign-out", body: `csrf=${encodeURIComponent(token)}`, headers });

test("the start page of a trial says so and leads to the demo first", async () => {
  const { body } = await get("/", { mode: "embedded", demoUrl: "http://localhost:3001" });
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
  const scene: Scene = { registration: "closed" };
  expect((await get("/", scene)).body).not.toContain("/create-account");
  expect(await get("/create-account", scene)).toMatchObject({ status: 404 });
});

test.each([
  ["/sign-in", "/auth?page=sign-in"],
  ["/create-account", "/auth?page=create-account"],
  ["/account/signed-in?code=1&state=2", "/account"],
])("%s leads on to %s", async (path, location) => {
  expect(await get(path)).toMatchObject({ status: 303, headers: { location } });
});

test("the account page shows name and e-mail to whoever is signed in", async () => {
  const { status, body, headers } = await get("/account");
  expect(status).toBe(200);
  expect(body).toContain("Hello, Alice Adams");
  expect(body).toContain("alice@example.com");
  expect(body).toMatch(/class="avatar" aria-hidden="true">AA</);
  expect(headers["cache-control"]).toBe("no-store");
});

test("without a session the account page sends to the sign-in", async () => {
  const answer = await get("/account", { isSignedIn: false });
  expect(answer).toMatchObject({ status: 303, headers: { location: "/auth?page=sign-in" } });
});

test.each([
  ["deleted", undefined],
  ["disabled", { ...alice, disabledAt: new Date(0) }],
])("the session of a %s account is ended", async (_, account) => {
  const answer = await get("/account", { accounts: { find: async () => account } });
  expect(answer).toMatchObject({ status: 303, headers: { location: "/signed-out" }, ended: ["session-1"] });
});

test("signing out ends the session and leads to the page that says so", async () => {
  expect(await signOut(csrf)).toMatchObject({
    status: 303,
    headers: { location: "/signed-out" },
    ended: ["session-1"],
  });
});

test("another site cannot sign anybody out [ASVS 3.5.1]", async () => {
  expect(await signOut("forged")).toMatchObject({ status: 403, ended: [] });
  expect(await signOut(csrf, {}, { "sec-fetch-site": "cross-site" })).toMatchObject({ status: 403, ended: [] });
});

test("signing out twice is no error", async () => {
  expect(await signOut("stale", { isSignedIn: false })).toMatchObject({ status: 303, ended: [] });
});

test("a sign-in that came back with an error gets a page, whatever the error says", async () => {
  for (const error of ["access_denied", "<script>alert(1)</script>", "a&error=b"]) {
    const { status, body } = await get(`/account/signed-in?error=${error}`);
    expect(status).toBe(400);
    expect(body).toContain("Not signed in");
    expect(body).not.toContain("alert(1)");
  }
});

test("a name of markup is shown as text", async () => {
  const name = `<script>alert(1)</script>`;
  const { body } = await get("/account", { accounts: { find: async () => ({ ...alice, name, email: name }) } });
  expect(body).toContain("&lt;script&gt;");
  expect(body).not.toContain("<script");
});

test("the page after signing out offers to sign in again", async () => {
  expect((await get("/signed-out")).body).toContain('<a class="btn" href="/sign-in">Sign in again</a>');
});
