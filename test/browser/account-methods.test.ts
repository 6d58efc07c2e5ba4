import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { enrollPerson, registerPerson } from "../flow/mfa/people.ts";
import { findBarriers } from "../support/accessibility.ts";
import { addAuthenticator } from "../support/virtual-authenticator.ts";
import { createDemoWorld, type DemoWorld, headingOf, PATIENTLY, press, signIn } from "./demo-world.ts";

let world: DemoWorld;
beforeAll(async () => {
  world = await createDemoWorld({ stores: "redis" });
});
afterAll(() => world.close());

/** The account of somebody with an app and a passkey, who proved both a moment ago. */
async function openMethods(): Promise<Page> {
  const person = await enrollPerson(world);
  const page = await world.openPage({ bypassCSP: true });
  await addAuthenticator(page);
  await page.goto(`${world.latchkey.issuer}/sign-in`);
  await signIn(page, person);
  await page.locator("#code").fill(person.app.code());
  await press(page, "Continue");
  await page.getByRole("heading", { name: /^Hello/ }).waitFor();
  await page.goto(`${world.latchkey.issuer}/account/methods/passkey`);
  await page.getByLabel("Name").fill("MacBook Air");
  await press(page, "Create passkey");
  await page.getByRole("heading", { name: "Sign-in methods" }).waitFor();
  return page;
}

const goTo = async (path: string): Promise<Page> => {
  const page = await openMethods();
  await page.goto(`${world.latchkey.issuer}${path}`);
  return page;
};

const PAGES = [
  { name: "the list", heading: "Sign-in methods", open: openMethods },
  { name: "another app", heading: "Add an authenticator app", open: () => goTo("/account/methods/app") },
  { name: "another passkey", heading: "Add a passkey", open: () => goTo("/account/methods/passkey") },
  {
    name: "another name",
    heading: "Give it another name",
    open: async () => {
      const page = await openMethods();
      await page.getByRole("link", { name: "Rename Phone" }).click();
      await page.getByLabel("Name").fill("");
      await press(page, "Save");
      await page.getByText("Use 1 to 60 letters").first().waitFor();
      return page;
    },
  },
  {
    name: "removing one",
    heading: "Remove Phone?",
    open: async () => {
      const page = await openMethods();
      await page.getByRole("link", { name: "Remove Phone" }).click();
      await page.getByRole("button", { name: "Remove" }).waitFor();
      return page;
    },
  },
  {
    name: "new recovery codes",
    heading: "Save your recovery codes",
    open: async () => {
      const page = await openMethods();
      await press(page, "Make new codes");
      await page.locator(".codes").waitFor();
      return page;
    },
  },
] as const;

describe.each(PAGES)("$name", ({ heading, open }) => {
  test("has no barriers in light and dark, narrow and wide, and fits [WCAG 2.2 AA]", async () => {
    const page = await open();
    await expect.poll(headingOf(page), PATIENTLY).toBe(heading);
    expect(await findBarriers(page)).toEqual([]);
    await page.context().close();
  });
});

test("a passkey that is added on the account page signs in without a password", async () => {
  const bob = await registerPerson(world);
  const page = await world.openPage();
  await addAuthenticator(page);
  await page.goto(`${world.latchkey.issuer}/sign-in`);
  await signIn(page, bob);
  await page.getByRole("heading", { name: /^Hello/ }).waitFor();
  await page.goto(`${world.latchkey.issuer}/account/methods`);
  await page.getByRole("link", { name: "Add a passkey" }).click();
  await press(page, "Create passkey");
  await page.getByRole("heading", { name: "Save your recovery codes" }).waitFor();
  await page.getByLabel("I’ve saved my codes somewhere safe").check();
  await press(page, "Done");
  await page.getByText("Your recovery codes are in place").waitFor();
  await press(page, "Sign out");
  // The browser offers it by itself, and this one's owner takes it at once.
  await page.goto(`${world.latchkey.issuer}/sign-in`);
  await expect.poll(headingOf(page), PATIENTLY).toBe(`Hello, ${bob.name}`);
  const [session] = await world.latchkey.sessions.list(bob.id);
  expect(session?.acr).toBe("phr");
});
