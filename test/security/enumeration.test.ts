import { afterAll, beforeAll, expect, test } from "vitest";
import { alice } from "../support/cast.ts";
import { submitSignIn } from "../support/journeys.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

/** What differs between any two answers, whoever is asked about. */
function withoutTokens(html: string): string {
  return html
    .replaceAll(/\/interaction\/[\w-]+/g, "/interaction/UID")
    .replaceAll(/\?r=[\w-]+/g, "?r=TOKEN")
    .replaceAll(/data-options="[^"]+"/g, "data-options")
    .replaceAll(/name="csrf" value="[\w-]+"/g, 'name="csrf"');
}

async function attemptAs(email: string): Promise<{ status: number; html: string; headers: string }> {
  const browser = world.openBrowser();
  const page = await browser.open((await world.apps.notesWeb.begin({ state: "fixed", nonce: "fixed" })).url);
  const answer = await submitSignIn(browser, page, { email, password: "this is not the password" });
  const headers = [...answer.headers].filter(([name]) => !/^(date|x-request-id|content-length|set-cookie)$/.test(name));
  return {
    status: answer.status,
    html: withoutTokens(answer.html).replaceAll(email, "EMAIL"),
    headers: JSON.stringify(headers),
  };
}

test("a known and an unknown account get the same answer to a wrong password [ASVS 6.3.8]", async () => {
  const known = await attemptAs(alice.email);
  const unknown = await attemptAs("nobody@example.com");
  expect(unknown).toEqual(known);
  expect(known.status).toBe(400);
});

test("a person whose password was wrong is told of no account that exists", async () => {
  const { html } = await attemptAs(alice.email);
  expect(html).toContain("That email and password don’t match");
  expect(html).not.toMatch(/Alice|unknown|no account|does not exist|disabled/);
});

test("a login_hint and an ID token of nobody show no more than a login_hint of somebody [ASVS 6.3.8]", async () => {
  const pageFor = async (email: string): Promise<string> => {
    const { url } = await world.apps.notesWeb.begin({ login_hint: email, state: "fixed", nonce: "fixed" });
    return withoutTokens((await world.openBrowser().open(url)).html).replaceAll(email, "EMAIL");
  };
  expect(await pageFor("nobody@example.com")).toBe(await pageFor(alice.email));
});
