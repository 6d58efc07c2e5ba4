import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice } from "../support/cast.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

const REGISTERED = "https://notes.example.com/callback";
const REGISTERED_BYE = "https://notes.example.com/bye";

/** What attackers have made of a registered address. Not one of them is that address. */
function variantsOf(registered: string): readonly string[] {
  const { host, pathname } = new URL(registered);
  const [first = "", ...rest] = pathname.slice(1);
  return [
    `${registered}/`,
    `${registered}/more`,
    `${registered}?added=1`,
    `${registered}?`,
    `${registered}#`,
    `${registered}#fragment`,
    `${registered};x=1`,
    `${registered}%2e%2e/other`,
    `${registered}/../other`,
    `${registered}/..%2fother`,
    `${registered}%00`,
    `${registered}%0d%0aLocation:%20https://mallory.example.com`,
    `${registered} `,
    ` ${registered}`,
    `${registered}\\@mallory.example.com`,
    `https://${host}/${first.toUpperCase()}${rest.join("")}`,
    `https://${host}//${pathname.slice(1)}`,
    `https://${host}/%${first.charCodeAt(0).toString(16)}${rest.join("")}`,
    `https://${host}/./${pathname.slice(1)}`,
    `https://${host.toUpperCase()}${pathname}`,
    `HTTPS://${host}${pathname}`,
    `http://${host}${pathname}`,
    `https://${host}:443${pathname}`,
    `https://${host}:8443${pathname}`,
    `https://${host}.${pathname}`,
    `https://sub.${host}${pathname}`,
    `https://${host}.mallory.example.com${pathname}`,
    `https://mallory.example.com/${registered}`,
    `https://mallory.example.com?${registered}`,
    `https://mallory.example.com#${registered}`,
    `https://${host}@mallory.example.com${pathname}`,
    `https://alice:secret@${host}${pathname}`,
    `https://mallory.example.com\\@${host}${pathname}`,
    `https://${host.replace("o", "о")}${pathname}`,
    `https://xn--${host}${pathname}`,
    `//${host}${pathname}`,
    pathname,
    `javascript:alert(1)//${registered}`,
    `data:text/html,<script>location='${registered}'</script>`,
    `urn:ietf:wg:oauth:2.0:oob`,
    `com.example.notes:/callback`,
    "null",
  ];
}

async function expectErrorPage(url: string | URL): Promise<void> {
  const response = await fetch(url, { redirect: "manual", headers: { accept: "text/html" } });
  const html = await response.text();
  expect(response.status).toBe(400);
  expect(response.headers.get("location")).toBeNull();
  expect(html).toContain("Reference");
  // The page offers the way back that is registered, and none that was sent along.
  const links = [...html.matchAll(/(?:href|action|src)="([^"]*)"/g)].map(([, target = ""]) => target);
  for (const link of links) expect(link).toMatch(/^(#main$|\/(?!\/)|https:\/\/notes\.example\.com\/$)/);
  expect(response.headers.get("content-security-policy")).not.toContain("mallory");
}

async function expectTwoAreRefused(response: Response, count: number): Promise<void> {
  const error = new URL(response.headers.get("location") ?? "").searchParams.get("error");
  expect(error).toBe(count > 1 ? "invalid_request" : "login_required");
}

describe("an authorization request [RFC 9700 4.1.3]", () => {
  test.each(variantsOf(REGISTERED))("does not redirect to %j", async (redirectUri) => {
    const { url } = await world.apps.notesWeb.begin({ redirect_uri: redirectUri });
    await expectErrorPage(url);
  });

  test("does not redirect an error either", async () => {
    for (const redirectUri of variantsOf(REGISTERED).slice(0, 8)) {
      const { url } = await world.apps.notesWeb.begin({
        redirect_uri: redirectUri,
        response_type: "token",
        prompt: "x",
      });
      await expectErrorPage(url);
    }
  });

  test("with two redirect URIs, or an empty one, tells the registered address of the mistake and no other", async () => {
    const requests = [
      [REGISTERED, "https://mallory.example.com/"],
      ["https://mallory.example.com/", REGISTERED],
      [REGISTERED, REGISTERED],
      [""],
    ];
    for (const redirectUris of requests) {
      const { url } = await world.apps.notesWeb.begin({ redirect_uri: undefined, prompt: "none" });
      for (const redirectUri of redirectUris) url.searchParams.append("redirect_uri", redirectUri);
      const response = await fetch(url, { redirect: "manual" });
      expect(response.headers.get("location")).toMatch(/^https:\/\/notes\.example\.com\/callback\?error=/);
      await expectTwoAreRefused(response, redirectUris.length);
    }
  });

  test("of an unknown client ends here", async () => {
    const { url } = await world.apps.notesWeb.begin({ client_id: "nobody" });
    await expectErrorPage(url);
  });

  test("that is pushed is refused as well", async () => {
    for (const redirectUri of variantsOf(REGISTERED).slice(0, 8)) {
      await expect(world.apps.bankWeb.beginPushed({ redirect_uri: redirectUri })).rejects.toMatchObject({
        error: "invalid_request",
      });
    }
  });
});

describe("a sign-out [OIDC RP-Initiated Logout 3]", () => {
  test.each(variantsOf(REGISTERED_BYE))("does not redirect to %j", async (target) => {
    const url = new URL(world.server.end_session_endpoint ?? "");
    url.search = new URLSearchParams({ client_id: "notesWeb", post_logout_redirect_uri: target }).toString();
    await expectErrorPage(url);
  });

  test("goes nowhere when it does not say which client asks", async () => {
    const url = new URL(world.server.end_session_endpoint ?? "");
    url.search = new URLSearchParams({ post_logout_redirect_uri: REGISTERED_BYE }).toString();
    const page = await world.openBrowser().open(url);
    expect(page.url.origin).toBe(world.latchkey.issuer);
  });
});

describe("the port of a loopback address [RFC 8252 7.3]", () => {
  const answerTo = async (clientId: string, redirectUri: string): Promise<Response> => {
    const app = world.appOf({ clientId, redirectUri });
    return await fetch((await app.begin({ prompt: "none" })).url, { redirect: "manual" });
  };

  test("is free for a native client", async () => {
    for (const port of [49_152, 1_024, 65_535]) {
      const redirectUri = `http://127.0.0.1:${port}/callback`;
      const response = await answerTo("reportsCli", redirectUri);
      expect(response.headers.get("location")).toContain(`${redirectUri}?error=login_required`);
    }
  });

  test.each([
    "http://127.0.0.1:49152/other",
    "http://127.0.0.2:49152/callback",
    "http://localhost:49152/callback",
    "http://[::1]:49152/callback",
    "https://127.0.0.1:49152/callback",
    "http://127.0.0.1:49152@mallory.example.com/callback",
    "http://127.0.0.1.mallory.example.com:49152/callback",
    "http://2130706433:49152/callback",
  ])("does not make %s right", async (redirectUri) => {
    const response = await answerTo("reportsCli", redirectUri);
    expect(response.status).toBe(400);
    expect(response.headers.get("location")).toBeNull();
  });

  test("is not free for a web client", async () => {
    const response = await answerTo("notesWeb", "https://notes.example.com:49152/callback");
    expect(response.headers.get("location")).toBeNull();
  });
});

test("a form with a password is answered with 303, never 307 [RFC 9700 4.12]", async () => {
  const browser = world.openBrowser();
  const page = await browser.open((await world.apps.notesWeb.begin()).url);
  const form = page.formWith("password");
  const body = new URLSearchParams({
    ...Object.fromEntries(form.fields),
    email: alice.email,
    password: alice.password,
  });
  const response = await browser.fetch(new URL(form.action, page.url), { method: "POST", body });
  expect(response.status).toBe(303);
  const resumed = await browser.fetch(new URL(response.headers.get("location") ?? "", page.url));
  expect(resumed.status).toBe(303);
});
