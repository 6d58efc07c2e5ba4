import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice, bob, shopWeb } from "../support/cast.ts";
import { signInAs, submitSignIn } from "../support/journeys.ts";
import { populate, startLatchkey, type TestLatchkey } from "../support/latchkey.ts";
import { askNode, type RawAnswer } from "../support/raw-http.ts";
import { createWorld, type World } from "../support/world.ts";

const policyWith = (formAction: string): string =>
  [
    "default-src 'none'",
    "script-src",
    "style-src 'self'",
    "img-src 'self' data:",
    `form-action ${formAction}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

const COOKIE_BYTES_MAX = 4_096;

function expectSecurityHeaders(headers: Headers): void {
  expect(headers.get("x-frame-options")).toBe("DENY");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("referrer-policy")).toBe("no-referrer");
  expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
  expect(headers.get("x-powered-by")).toBeNull();
  expect(headers.get("server")).toBeNull();
}

describe("on http", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ stores: "redis" });
  });
  afterAll(() => world.close());

  test("every page carries the whole set, and no cache may keep it [ASVS 3.4]", async () => {
    const browser = world.openBrowser();
    const { issuer } = world.latchkey;
    const start = await browser.open(issuer);
    const signIn = await browser.open((await world.apps.shopWeb.begin({ scope: "openid" })).url);
    const failure = await browser.open(`${issuer}/authorize?client_id=nobody`);
    const missing = await browser.open(`${issuer}/nowhere`);
    const wrong = await submitSignIn(browser, signIn, { email: alice.email, password: "not the password" });
    const consent = await submitSignIn(browser, signIn, alice);
    const account = await browser.open(`${issuer}/account`);
    const signOut = await browser.open(`${issuer}/end-session?client_id=shopWeb`);
    const signedOut = await browser.open(`${issuer}/signed-out`);
    const home = "https://shop.example.com";
    const pages = { start, failure, missing, account, signOut, signedOut };
    for (const [name, page] of Object.entries(pages)) {
      expect(page.headers.get("content-security-policy"), name).toBe(policyWith("'self'"));
    }
    for (const page of [signIn, wrong]) {
      // Passkeys need script: two files of ours, and nothing else.
      const scripts = ["simplewebauthn", "passkey"].map((name) => `${issuer}/assets/${name}.js`).join(" ");
      const policy = policyWith(`'self' ${home}`).replace("script-src", `script-src ${scripts}`);
      expect(page.headers.get("content-security-policy")).toBe(policy);
    }
    expect(consent.headers.get("content-security-policy")).toBe(policyWith(`'self' ${home}`));
    for (const page of [...Object.values(pages), signIn, wrong, consent]) {
      expectSecurityHeaders(page.headers);
      expect(page.headers.get("cache-control")).toContain("no-store");
      expect(page.headers.get("strict-transport-security")).toBeNull();
      const html = page.html.replaceAll(/<script src="\/assets\/[^"]+" defer><\/script>/g, "");
      expect(html).not.toMatch(/<script|<style|\sstyle=|\son[a-z]+=|javascript:/i);
    }
  });

  test("the page that posts an answer to the app may run its one script, post there, and nothing else", async () => {
    const request = await world.apps.notesWeb.begin({ response_mode: "form_post", prompt: "none" });
    const { headers, html } = await world.openBrowser().open(request.url);
    const [, script = ""] = /<script>([^]*?)<\/script>/.exec(html) ?? [];
    const digest = createHash("sha256").update(script).digest("base64");
    const expected = policyWith("'self' https://notes.example.com").replace(
      "script-src",
      `script-src 'sha256-${digest}'`,
    );
    expect(headers.get("content-security-policy")).toBe(expected);
    expect(headers.get("cache-control")).toContain("no-store");
    expectSecurityHeaders(headers);
  });

  test("every answer of the protocol does, too, and no cache may keep a token", async () => {
    const { issuer } = world.latchkey;
    const answers = await Promise.all([
      fetch(`${issuer}/token`, { method: "POST", body: new URLSearchParams({ grant_type: "x" }) }),
      fetch(`${issuer}/userinfo`),
      fetch(`${issuer}/jwks`),
      fetch(`${issuer}/health/live`),
      fetch(`${issuer}/introspect`, { method: "POST" }),
    ]);
    for (const { headers } of answers) expectSecurityHeaders(headers);
    for (const index of [0, 1, 3, 4]) expect(answers[index]?.headers.get("cache-control")).toContain("no-store");
    const tokens = await world.apps.notesWeb.redeem(...(await receiveCode()));
    expect(tokens.headers.get("cache-control")).toContain("no-store");
  });

  const receiveCode = async () => {
    const browser = world.openBrowser();
    const request = await world.apps.notesWeb.begin();
    const { url } = await submitSignIn(browser, await browser.open(request.url), bob);
    return [request, url] as const;
  };

  test("cookies are HttpOnly, SameSite=Lax and small, whatever the request was [ASVS 3.3]", async () => {
    const browser = world.openBrowser();
    const state = "s".repeat(1_500);
    const page = await browser.open((await world.apps.notesWeb.begin({ state })).url);
    await submitSignIn(browser, page, alice);
    const cookies = browser.jar.list();
    expect(cookies.length).toBeGreaterThan(0);
    for (const { name, value, isHttpOnly, sameSite } of cookies) {
      expect({ name, isHttpOnly, sameSite }).toEqual({ name, isHttpOnly: true, sameSite: "lax" });
      expect(name.length + value.length).toBeLessThan(COOKIE_BYTES_MAX);
      expect(value).not.toMatch(/alice|ssss/);
    }
  });

  test("a cookie that was altered is worth nothing", async () => {
    const browser = world.openBrowser();
    await signInAs(browser, alice, world.latchkey.issuer);
    const cookie = browser.jar.headerFor(new URL(world.latchkey.issuer));
    const flip = (text: string): string => (text.endsWith("A") ? `${text.slice(0, -1)}B` : `${text.slice(0, -1)}A`);
    const forged = [
      cookie.split("; ").map(flip).join("; "),
      cookie
        .split("; ")
        .filter((part) => !part.includes(".sig"))
        .join("; "),
    ];
    for (const header of forged) {
      const response = await fetch(`${world.latchkey.issuer}/account`, {
        headers: { cookie: header },
        redirect: "manual",
      });
      expect(response.status).toBe(303);
    }
  });
});

describe("on https, behind a proxy that ends TLS", () => {
  let latchkey: TestLatchkey;
  beforeAll(async () => {
    latchkey = await startLatchkey({
      stores: "redis",
      settings: { ISSUER: "https://id.example.com", TRUSTED_PROXIES: "1" },
    });
    await populate(latchkey, { clients: [shopWeb], resourceServers: [], people: [alice] }).catch(() => undefined);
  });
  afterAll(() => latchkey.close());

  const ask = (path: string, headers: Record<string, string> = {}): Promise<RawAnswer> =>
    askNode(`http://127.0.0.1:${latchkey.settings.PORT}${path}`, {
      headers: { host: "id.example.com", "x-forwarded-proto": "https", accept: "text/html", ...headers },
    });

  test("HSTS is there for a year [ASVS 3.4.1]", async () => {
    for (const path of ["/", "/jwks", "/nowhere"]) {
      expect((await ask(path)).headers.get("strict-transport-security")).toMatch(/^max-age=31536000/);
    }
  });

  test("cookies are Secure and carry the prefix that binds them [ASVS 3.3.1]", async () => {
    const toAuthorize = await ask("/sign-in");
    const path = new URL(toAuthorize.headers.get("location") ?? "", "https://id.example.com");
    const answer = await ask(path.pathname + path.search);
    const cookies = answer.headers.getSetCookie();
    expect(cookies.length).toBeGreaterThan(0);
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^(__Host-lk_|__Secure-lk_)/);
      expect(cookie).toMatch(/; secure/i);
      expect(cookie).toMatch(/; httponly/i);
      expect(cookie).toMatch(/; samesite=lax/i);
      expect(cookie).not.toMatch(/; domain=/i);
      expect(cookie).toMatch(/^__Secure-|; path=\/(;|$)/i);
    }
  });

  test("links, metadata and redirects have the issuer's origin, whatever the headers say [RFC 9700 4.6]", async () => {
    const forged = {
      "x-forwarded-host": "mallory.example.com",
      "x-forwarded-port": "8443",
      forwarded: "host=mallory.example.com;proto=http",
      "x-forwarded-proto": "http",
      "x-original-url": "/nowhere",
    };
    const metadata = await ask("/.well-known/openid-configuration", forged);
    expect(metadata.body).not.toMatch(/mallory|http:\/\//);
    expect(JSON.parse(metadata.body)).toMatchObject({ token_endpoint: "https://id.example.com/token" });
    const redirect = await ask("/sign-in", forged);
    expect(redirect.headers.get("location")).not.toMatch(/mallory|http:\/\//);
  });

  test.each(["mallory.example.com", "id.example.com.mallory.example.com", "id.example.com:8443", "127.0.0.1", ""])(
    "a request for host %j is 421, on every route but the health probes",
    async (host) => {
      for (const path of ["/", "/.well-known/openid-configuration", "/token", "/authorize"]) {
        const answer = await ask(path, { host });
        expect(answer.status).toBe(421);
        expect(answer.body).not.toContain("mallory");
      }
    },
  );

  test("a health probe is answered whatever host it names: it comes by address", async () => {
    expect((await ask("/health/live", { host: "127.0.0.1" })).status).toBe(200);
    expect((await ask("/health/ready", { host: "10.0.0.7:3000" })).status).toBe(200);
  });
});
