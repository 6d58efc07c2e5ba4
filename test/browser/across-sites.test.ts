import { afterAll, beforeAll, expect, test } from "vitest";
import { createOrdersApi } from "../../examples/api/orders-api.ts";
import { createAppServer } from "../../src/demo/app-server.ts";
import { alice, bob, shopWeb } from "../support/cast.ts";
import { populate } from "../support/latchkey.ts";
import { freePort } from "../support/servers.ts";
import {
  createAccount,
  createDemoWorld,
  type DemoWorld,
  headingOf,
  PATIENTLY,
  press,
  signIn,
  textOf,
} from "./demo-world.ts";

const API_CLIENT_ID = "ordersApi";

// Ports of localhost are one site and share cookies; a name under it is a site of its own.
let world: DemoWorld;
let appOrigin: string;
const stops: (() => void)[] = [];

beforeAll(async () => {
  world = await createDemoWorld({ stores: "redis" });
  const [appPort, apiPort] = [await freePort(), await freePort()];
  appOrigin = `http://shop.localhost:${appPort}`;
  const apiUrl = `http://orders.localhost:${apiPort}`;
  const { issuer } = world.latchkey;
  const secrets = await populate(world.latchkey, {
    people: [alice, bob],
    resourceServers: [
      { identifier: apiUrl, name: "Orders", scopes: [{ name: "orders:read", description: "See your orders" }] },
    ],
    clients: [
      {
        ...shopWeb,
        redirectUris: [`${appOrigin}/callback`],
        postLogoutRedirectUris: [`${appOrigin}/`],
        homeUri: `${appOrigin}/`,
        resources: [{ identifier: apiUrl, scopes: ["orders:read"] }],
        defaultResource: apiUrl,
      },
      { id: API_CLIENT_ID, name: "Orders API", authMethod: "client_secret_basic", introspects: [apiUrl] },
    ],
  });
  const app = await createAppServer({
    issuer,
    clientId: shopWeb.id,
    scope: "openid profile email orders:read",
    apiUrl,
  });
  const client = { id: API_CLIENT_ID, secret: secrets.get(API_CLIENT_ID) ?? "" };
  const api = createOrdersApi({ issuer, audience: apiUrl, client, appOrigin });
  app.listen(appPort, "127.0.0.1");
  api.listen(apiPort, "127.0.0.1");
  stops.push(
    () => app.close(),
    () => api.close(),
  );
});

afterAll(async () => {
  await world.close();
  for (const stop of stops) stop();
});

test("an app on another site signs in, continues silently after a reload, and signs out", async () => {
  const page = await world.openPage();
  await page.goto(appOrigin);
  await press(page, "Sign in");
  await signIn(page, alice);
  await press(page, "Allow");
  await expect.poll(textOf(page), PATIENTLY).toContain("Teapot");

  await page.reload();
  await press(page, "Continue");
  await expect.poll(textOf(page), PATIENTLY).toContain("Teapot");

  await press(page, "Sign out");
  await expect.poll(headingOf(page), PATIENTLY).toBe("Sign out?");
  await press(page, "Sign out");
  await expect.poll(headingOf(page), PATIENTLY).toBe("See your tea orders");
  expect(page.url()).toBe(`${appOrigin}/`);
  // What is left says that this browser was seen, and signs nobody in.
  const left = await page.context().cookies(world.latchkey.issuer);
  expect(left.map(({ name }) => name)).toEqual(["lk_browser"]);
});

test("an app on another site may give its token back, which the API hears of [RFC 7009 2]", async () => {
  const page = await world.openPage();
  await page.goto(appOrigin);
  await press(page, "Sign in");
  await signIn(page, bob);
  await press(page, "Allow");
  await expect.poll(textOf(page), PATIENTLY).toContain("Teapot");
  await press(page, "Revoke now");
  await expect.poll(textOf(page), PATIENTLY).toContain("Revoked at");
  await press(page, "Call the API");
  await expect.poll(textOf(page), PATIENTLY).toContain("401 invalid_token: the API refused the token");
});

test("a person who does not allow it comes back to the app on the other site", async () => {
  const page = await world.openPage();
  await page.goto(appOrigin);
  await press(page, "Sign in");
  await page.getByRole("link", { name: "Create an account" }).click();
  await createAccount(page, { name: "Carol Cole", email: "carol@example.com", password: "amber-thicket-violin-3" });
  await press(page, "Don’t allow");
  await expect.poll(textOf(page), PATIENTLY).toContain("You didn't allow it");
  expect(new URL(page.url()).origin).toBe(appOrigin);
});
