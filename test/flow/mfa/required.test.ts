import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { notesWeb } from "../../support/apps.ts";
import { signInAs, submitSignIn } from "../../support/journeys.ts";
import { errorOf } from "../../support/relying-party.ts";
import { createWorld, type World } from "../../support/world.ts";
import { addAppOnPage, enrollOnPage, enrollPerson, registerPerson, submitCode } from "./people.ts";

const strictWeb = {
  ...notesWeb,
  id: "strictWeb",
  name: "Strict",
  mfa: "required",
  redirectUris: ["https://notes.example.com/strict"],
} as const;

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis", settings: { MFA_TRUSTED_BROWSER_DAYS: "30" } });
  await world.latchkey.clients.addClient(strictWeb);
});
afterAll(() => world.close());

const strict = () => world.appOf({ clientId: strictWeb.id, redirectUri: strictWeb.redirectUris[0] });
const MFA_CLAIMS = { acr: "urn:latchkey:acr:mfa", amr: ["pwd", "otp", "mfa"] };

describe("a client that requires a second factor", () => {
  test("has people add one while they sign in, and save their codes, before it gets a code", async () => {
    const bob = await registerPerson(world);
    const browser = world.openBrowser();
    const request = await strict().begin();
    const page = await submitSignIn(browser, await browser.open(request.url), bob);
    expect(page.heading).toBe("Add an authenticator app");
    const { codes } = await addAppOnPage(browser, page);
    expect(codes.heading).toBe("Save your recovery codes");
    expect(await world.latchkey.sessions.list(bob.id)).toEqual([]);
    const notSaved = await browser.submit(codes, codes.formWith("csrf"));
    expect(notSaved.text).toContain("Save your codes first");
    const file = await browser.fetch(notSaved.linkTo(/Download/));
    expect(file.headers.get("content-disposition")).toContain("attachment");
    expect((await file.text()).trim().split("\n")).toHaveLength(10);
    const { url } = await browser.submit(notSaved, notSaved.formWith("csrf"), { values: { saved: "1" } });
    expect((await strict().complete(request, url)).claims).toMatchObject(MFA_CLAIMS);
    expect(await browser.open(codes.url)).toMatchObject({ status: 400 });
  });

  test("is not reached silently by a session without one, and is once it is proved", async () => {
    const alice = await enrollPerson(world);
    const browser = world.openBrowser();
    const asked = await signInAs(browser, alice, world.latchkey.issuer);
    await browser.submit(asked, asked.formWith("code"), { values: { code: alice.app.code(), trust: "1" } });
    await world.apps.notesWeb.signIn(browser, alice, { prompt: "login" });
    const silent = await browser.open((await strict().begin({ prompt: "none" })).url);
    expect(silent.url.searchParams.get("error")).toBe("login_required");
    const request = await strict().begin();
    const page = await browser.open(request.url);
    expect(page.heading).toBe("Enter your code");
    expect(page.text).not.toContain("Don’t ask again");
    const { url } = await submitCode(browser, page, alice.app.code(1));
    expect((await strict().complete(request, url)).claims).toMatchObject(MFA_CLAIMS);
  });

  test("is told access_denied by who does not want to", async () => {
    const bob = await registerPerson(world);
    const browser = world.openBrowser();
    const page = await submitSignIn(browser, await browser.open((await strict().begin()).url), bob);
    const decline = page.forms.find(({ action }) => action.includes("/decline"));
    if (decline === undefined) throw new Error("nobody can say no");
    expect((await browser.submit(page, decline)).url.searchParams.get("error")).toBe("access_denied");
  });

  test("created accounts add one as well [OIDC Prompt Create 3]", async () => {
    const browser = world.openBrowser();
    const page = await browser.open((await strict().begin({ prompt: "create" })).url);
    const values = { name: "Nora North", email: "nora-strict@example.com", password: "maple-thunder-cabin-31" };
    const enroll = await browser.submit(page, page.formWith("name"), { values });
    expect(enroll.heading).toBe("Add an authenticator app");
    const enrolled = await enrollOnPage(browser, enroll);
    expect(enrolled.page.url.searchParams.has("code")).toBe(true);
  });

  test("gets no more tokens for a sign-in from before it did, and nothing is spent", async () => {
    const laterWeb = { ...notesWeb, id: "laterWeb", redirectUris: ["https://notes.example.com/later"] } as const;
    await world.latchkey.clients.addClient(laterWeb);
    const later = world.appOf({ clientId: laterWeb.id, redirectUri: laterWeb.redirectUris[0] });
    const bob = await registerPerson(world);
    const { refreshToken } = await later.signIn(world.openBrowser(), bob);
    const apply = (mfa: "required" | "optional") =>
      world.latchkey.clients.applyDocument(
        { clients: [{ ...laterWeb, mfa }] },
        { secretFiles: new Map(), mode: "apply" },
      );
    await apply("required");
    expect(await errorOf(later.refresh(refreshToken))).toBe("invalid_grant");
    await apply("optional");
    await expect(later.refresh(refreshToken)).resolves.toBeDefined();
  });
});
