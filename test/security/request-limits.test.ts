import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Page } from "../support/browser.ts";
import { alice } from "../support/cast.ts";
import { submitSignIn } from "../support/journeys.ts";
import { errorOf, type SentRequest } from "../support/relying-party.ts";
import { createWorld, type World } from "../support/world.ts";

const VALUE_BYTES_MAX = 2 * 1024;
const PARAMETER_BYTES_MAX = 8 * 1024;

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

/** Text that does not compress, so that it stays as long wherever it is carried. */
const textOf = (byteCount: number): string => randomBytes(byteCount).toString("base64url").slice(0, byteCount);

/** A `login_hint` that makes the parameters of a request this large. */
async function hintFor(byteCount: number): Promise<string> {
  const { url } = await world.apps.bankWeb.begin({ login_hint: "" });
  // A request that names no resource gets the client's default, which counts: none here.
  const parameters = { ...Object.fromEntries(url.searchParams), resource: [] };
  const rest = Buffer.byteLength(JSON.stringify(parameters));
  return textOf(byteCount - rest);
}

const open = (request: SentRequest): Promise<Page> => world.openBrowser().open(request.url);

describe.each(["state", "nonce"])("a %s", (name) => {
  test("of 2 KB is taken, and one byte more is invalid_request, which the app is told", async () => {
    const { notesWeb } = world.apps;
    expect((await open(await notesWeb.begin({ [name]: textOf(VALUE_BYTES_MAX) }))).heading).toBe("Sign in");
    const { url } = await open(await notesWeb.begin({ [name]: textOf(VALUE_BYTES_MAX + 1) }));
    expect(url.origin).toBe("https://notes.example.com");
    expect(url.searchParams.get("error")).toBe("invalid_request");
  });

  test("is as long when it is pushed", async () => {
    const { bankWeb } = world.apps;
    expect((await open(await bankWeb.beginPushed({ [name]: textOf(VALUE_BYTES_MAX) }))).heading).toBe("Sign in");
    expect(await errorOf(bankWeb.beginPushed({ [name]: textOf(VALUE_BYTES_MAX + 1) }))).toBe("invalid_request");
  });
});

describe("a request of 8 KB", () => {
  test("goes all the way, and one byte more is not pushed", async () => {
    const { bankWeb } = world.apps;
    const browser = world.openBrowser();
    const request = await bankWeb.beginPushed({ login_hint: await hintFor(PARAMETER_BYTES_MAX) });
    const page = await submitSignIn(browser, await browser.open(request.url), alice);
    await expect(bankWeb.complete(request, page.url)).resolves.toBeDefined();
    const larger = bankWeb.beginPushed({ login_hint: await hintFor(PARAMETER_BYTES_MAX + 1) });
    expect(await errorOf(larger)).toBe("invalid_request");
  });

  test("begins again after an interruption", async () => {
    const { bankWeb } = world.apps;
    const browser = world.openBrowser();
    const request = await bankWeb.beginPushed({ login_hint: await hintFor(PARAMETER_BYTES_MAX) });
    const page = await browser.open(request.url);
    browser.jar.clear();
    const expired = await submitSignIn(browser, page, alice);
    const again = await browser.click(expired, /^Continue to Bank$/);
    await expect(bankWeb.complete(request, (await submitSignIn(browser, again, alice)).url)).resolves.toBeDefined();
  });

  test("is the limit, also for text that takes six times the space where it is kept", async () => {
    const { bankWeb } = world.apps;
    expect(await errorOf(bankWeb.beginPushed({ login_hint: "\u0001".repeat(4_000) }))).toBe("invalid_request");
  });
});

test("a request that is too large redirects to no address that is not registered [RFC 9700 4.1.3]", async () => {
  const request = await world.apps.notesWeb.begin({
    state: textOf(VALUE_BYTES_MAX + 1),
    redirect_uri: "https://mallory.example.com/",
  });
  const response = await world.openBrowser().fetch(request.url);
  expect(response.status).toBe(400);
  expect(response.headers.get("location")).toBeNull();
});
