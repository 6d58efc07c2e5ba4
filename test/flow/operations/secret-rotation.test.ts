import { afterEach, expect, test } from "vitest";
import { newSecret, startNode, type TestLatchkey } from "../../support/latchkey.ts";
import { alice } from "../../support/cast.ts";
import { submitSignIn } from "../../support/journeys.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World | undefined;
let node: TestLatchkey | undefined;
afterEach(async () => {
  await node?.close();
  node = undefined;
  await world?.close();
});

test("LATCHKEY_SECRET is rotated without anybody noticing: new and old first, then the new one alone", async () => {
  world = await createWorld({ stores: "redis" });
  const first = world.latchkey;
  const { settings, issuer } = first;
  const { notesWeb } = world.apps;
  const keysOf = async (): Promise<unknown> => await (await fetch(`${issuer}/jwks`)).json();
  const browser = world.openBrowser();
  const tokens = await notesWeb.signIn(browser, alice);
  const keys = await keysOf();
  const waiting = world.openBrowser();
  const waitingRequest = await notesWeb.begin();
  const waitingPage = await waiting.open(waitingRequest.url);

  const fresh = newSecret();
  const restartWith = async (secret: string): Promise<void> => {
    // The port is the issuer's: the node before must be gone, and its stores must stay.
    await (node ?? first).stopNode();
    node = await startNode({ settings: { ...settings, LATCHKEY_SECRET: secret } });
  };
  await restartWith(`${fresh},${settings.LATCHKEY_SECRET ?? ""}`);
  expect(await keysOf()).toEqual(keys);
  const silent = await notesWeb.begin({ prompt: "none" });
  await expect(notesWeb.complete(silent, (await browser.open(silent.url)).url)).resolves.toBeDefined();
  const { refreshToken } = await notesWeb.refresh(tokens.refreshToken);
  const end = await submitSignIn(waiting, waitingPage, alice);
  await expect(notesWeb.complete(waitingRequest, end.url)).resolves.toBeDefined();

  await restartWith(fresh);
  expect(await keysOf()).toEqual(keys);
  await expect(notesWeb.refresh(refreshToken)).resolves.toBeDefined();
  // Used meanwhile, the session's cookie is signed by the new one.
  const later = await notesWeb.begin({ prompt: "none" });
  await expect(notesWeb.complete(later, (await browser.open(later.url)).url)).resolves.toBeDefined();
  await expect(notesWeb.signIn(world.openBrowser(), alice)).resolves.toBeDefined();
});

test("a secret that opens nothing stops the start with the reason", async () => {
  world = await createWorld({ stores: "postgres" });
  const settings = { ...world.latchkey.settings, LATCHKEY_SECRET: newSecret(), PORT: "0" };
  await expect(startNode({ settings })).rejects.toThrow(/LATCHKEY_SECRET/);
});
