import { decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice } from "../../support/cast.ts";
import type { Stores, TestLatchkey } from "../../support/latchkey.ts";
import { askNode } from "../../support/raw-http.ts";
import { addService, type Caller, ordersService, post, startSecondNode } from "../../support/services.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { createWorld, type World } from "../../support/world.ts";

const FOR_ORDERS = { scope: "openid orders:read" };
const LEAD_SECONDS = 600;
const DAY = 24 * 60 * 60;
const TAKEN_UP = { timeout: 1_500, interval: 5 };

const kidOf = (token: string): string => decodeProtectedHeader(token).kid ?? "";

describe.each<Stores>(["redis", "embedded"])("keys that rotate while people are signed in, on %s", (stores) => {
  let world: World;
  let nodes: readonly TestLatchkey[];
  let orders: Caller;
  beforeAll(async () => {
    world = await createWorld({ stores });
    orders = await addService(world.latchkey, ordersService);
    nodes = stores === "embedded" ? [world.latchkey] : [world.latchkey, await startSecondNode(world.latchkey)];
  });
  afterAll(async () => {
    for (const node of nodes.slice(1)) await node.close();
    await world.close();
  });

  const operator = () => world.latchkey.signingKeys;

  /** Until every node shows what the operator has just done. */
  async function takenUp(): Promise<void> {
    const kids = (await operator().list()).map(({ kid }) => kid).toSorted();
    for (const node of nodes) {
      const shown = async () => {
        const { body } = await askNode(`http://127.0.0.1:${node.settings.PORT}/jwks`, {
          headers: { host: new URL(node.issuer).host },
        });
        const { keys } = JSON.parse(body) as { readonly keys: readonly { readonly kid: string }[] };
        return keys.map(({ kid }) => kid).toSorted();
      };
      await expect.poll(shown, TAKEN_UP).toEqual(kids);
    }
  }

  async function isActive(token: string): Promise<readonly boolean[]> {
    const parameters = { token };
    const answers = await Promise.all(nodes.map((node) => post(node, "/introspect", { caller: orders, parameters })));
    return answers.map(({ body }) => (body as { readonly active: boolean }).active);
  }

  async function signIn() {
    const browser = world.openBrowser();
    return { browser, ...(await world.apps.shopWeb.signIn(browser, alice, FOR_ORDERS)) };
  }

  function signOutUrl(idToken: string): URL {
    const url = new URL(world.server.end_session_endpoint ?? "");
    url.searchParams.set("id_token_hint", idToken);
    return url;
  }

  test("a rotation ends nothing: tokens from before are good, a sign-out knows their ID token for days, and all go on", async () => {
    const travel = startTimeTravel();
    travel.advanceSeconds(LEAD_SECONDS);
    const before = await signIn();
    await operator().rotate();
    await takenUp();
    expect(await isActive(before.accessToken)).toEqual(nodes.map(() => true));
    const after = await world.apps.shopWeb.refresh(before.refreshToken);
    expect(kidOf(after.accessToken)).not.toBe(kidOf(before.accessToken));
    expect(kidOf(after.idToken)).not.toBe(kidOf(before.idToken));
    expect(await isActive(after.accessToken)).toEqual(nodes.map(() => true));
    // The app has kept the ID token of the sign-in, which expired long ago.
    travel.advanceSeconds(DAY / 2);
    expect((await before.browser.open(signOutUrl(before.idToken))).heading).toBe("Sign out?");
  });

  test("a leaked key's tokens are refused at every node at once, and nobody has to sign in again", async () => {
    const before = await signIn();
    const leaked = [kidOf(before.accessToken), kidOf(before.idToken)];
    const { withdrawn } = await operator().replace({ nextToo: false });
    expect(withdrawn).toEqual(expect.arrayContaining(leaked));
    // Before the nodes have taken anything up.
    expect(await isActive(before.accessToken)).toEqual(nodes.map(() => false));
    await takenUp();
    const after = await world.apps.shopWeb.refresh(before.refreshToken);
    expect(await isActive(after.accessToken)).toEqual(nodes.map(() => true));
    expect((await before.browser.open(signOutUrl(before.idToken))).heading).not.toBe("Sign out?");
    expect((await before.browser.open(signOutUrl(after.idToken))).heading).toBe("Sign out?");
  });
});
