import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { parse } from "yaml";
import { freePort } from "../../test/support/servers.ts";
import { type Clients, listSecretFiles } from "../clients/index.ts";
import { loadConfig } from "../config/index.ts";
import { demoDeclarations } from "./register-demo.ts";
import { DemoPortInUseError, startDemo } from "./start-demo.ts";

async function demoConfig() {
  const [appPort, apiPort] = [await freePort(), await freePort()];
  return loadConfig({ DEMO_APP_PORT: String(appPort), DEMO_API_PORT: String(apiPort) });
}

function fakeClients() {
  return { applyDocument: vi.fn<Clients["applyDocument"]>().mockResolvedValue([]) };
}

test("the demo serves its app and its API until it is closed", async () => {
  const config = await demoConfig();
  const apiUrl = `http://127.0.0.1:${config.demo?.apiPort}/orders`;
  const demo = await startDemo({ config, clients: fakeClients() });
  const app = await fetch(demo.appUrl.replace("localhost", "127.0.0.1"));
  expect([app.status, (await fetch(apiUrl)).status]).toEqual([200, 401]);
  await demo.close();
  await expect(fetch(apiUrl)).rejects.toThrow("fetch failed");
});

test("what is registered follows the ports, and comes before the app is served", async () => {
  const config = await demoConfig();
  const clients = fakeClients();
  const demo = await startDemo({ config, clients });
  onTestFinished(() => demo.close());
  const apiUrl = `http://localhost:${config.demo?.apiPort}`;
  const [document, options] = clients.applyDocument.mock.calls[0] ?? [];
  expect(document).toMatchObject(demoDeclarations({ appUrl: demo.appUrl, apiUrl }));
  expect(options?.mode).toBe("apply");
  expect([demo.apiUrl, clients.applyDocument.mock.calls.length]).toEqual([apiUrl, 1]);
});

test("the API's secret is a new one at each start, and is registered like one from a file", async () => {
  const clients = fakeClients();
  for (const _ of [1, 2]) await (await startDemo({ config: await demoConfig(), clients })).close();
  const handedOver = clients.applyDocument.mock.calls.map(([document, { secretFiles }]) => {
    expect(listSecretFiles(document)).toEqual([...secretFiles.keys()]);
    return Array.from(secretFiles.values());
  });
  expect(handedOver).toEqual([[expect.stringMatching(/^[\w-]{43}$/)], [expect.stringMatching(/^[\w-]{43}$/)]]);
  expect(handedOver[0]).not.toEqual(handedOver[1]);
});

test("a port in use is one sentence that names the setting, and nothing is left listening", async () => {
  const config = await demoConfig();
  const [appPort, apiPort] = [config.demo?.appPort, config.demo?.apiPort];
  const other = createServer();
  onTestFinished(() => void other.close());
  await new Promise<void>((resolve) => other.listen(apiPort, "127.0.0.1", resolve));
  const start = startDemo({ config, clients: fakeClients() });
  await expect(start).rejects.toThrow(DemoPortInUseError);
  await expect(start).rejects.toThrow(`Port ${apiPort}`);
  await expect(start).rejects.toThrow("DEMO_API_PORT");
  await expect(fetch(`http://127.0.0.1:${appPort}/`)).rejects.toThrow("fetch failed");
});

test("examples/latchkey.yaml says the same of the default ports", () => {
  const file = join(import.meta.dirname, "../../examples/latchkey.yaml");
  const origins = { appUrl: "http://localhost:3001", apiUrl: "http://localhost:3002" };
  expect(parse(readFileSync(file, "utf8"))).toEqual(demoDeclarations(origins));
});
