import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { alice } from "../support/cast.ts";
import { populate } from "../support/latchkey.ts";
import { discover, RelyingParty } from "../support/relying-party.ts";
import { freePort } from "../support/servers.ts";
import { createDemoWorld, type DemoWorld, headingOf, PATIENTLY, signIn } from "./demo-world.ts";

// A name under localhost is another site, so that the policy has to let the form through.
let world: DemoWorld;
let app: Server;
let origin: string;
const received: URLSearchParams[] = [];

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === "POST") received.push(new URLSearchParams(await text(request)));
  response.setHeader("content-type", "text/html");
  response.end("<!doctype html><title>Desk</title><h1>Desk</h1>");
}

beforeAll(async () => {
  world = await createDemoWorld({ stores: "redis" });
  const port = await freePort();
  origin = `http://desk.localhost:${port}`;
  app = createServer((request, response) => {
    receive(request, response).catch(() => response.destroy());
  });
  app.listen(port, "127.0.0.1");
  await populate(world.latchkey, {
    people: [alice],
    clients: [{ id: "deskWeb", name: "Desk", isFirstParty: true, redirectUris: [`${origin}/callback`] }],
  });
});

afterAll(async () => {
  await world.close();
  app.closeAllConnections();
  app.close();
});

test("response_mode=form_post brings code and errors to an app on another site [OAuth 2.0 Form Post Response Mode]", async () => {
  const server = await discover(world.latchkey.issuer);
  const deskWeb = new RelyingParty({ server, clientId: "deskWeb", redirectUri: `${origin}/callback` });
  const request = await deskWeb.begin({ response_mode: "form_post" });
  const page = await world.openPage();
  await page.goto(request.url.href);
  await signIn(page, alice);
  await expect.poll(headingOf(page), PATIENTLY).toBe("Desk");
  const answer = new URL(`${origin}/callback?${received.at(-1)?.toString()}`);
  await expect(deskWeb.complete(request, answer)).resolves.toBeDefined();

  const refused = await deskWeb.begin({ response_mode: "form_post", prompt: "none", max_age: "soon" });
  await page.goto("about:blank");
  await page.goto(refused.url.href, { waitUntil: "commit" });
  await expect.poll(() => received.length, PATIENTLY).toBe(2);
  expect(received.at(-1)?.get("error")).toBe("invalid_request");
  expect(received.at(-1)?.get("state")).toBe(refused.state);
});
