import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createTestCertificate } from "../../../src/outbound/test-certificate.ts";
import { startProcess } from "../../install/latchkey-process.ts";
import { builtServer } from "../../support/built-server.ts";
import { startLatchkey, startNode, type TestLatchkey } from "../../support/latchkey.ts";
import { untilNodesRun } from "../../support/running-nodes.ts";
import { type MailServer, startMailServer } from "../../support/mail-server.ts";
import { freePort } from "../../support/servers.ts";

const EVENTUALLY = { timeout: 15_000, interval: 100 };

/** What the proxy does to requests and answers; each test sets its own. */
let way: {
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly changeCookie?: (header: string) => string;
  readonly cacheControl?: string;
};
let ground: TestLatchkey;
let latchkey: TestLatchkey;
let proxy: Server;
let folder: string;
let mailServer: MailServer;

beforeAll(async () => {
  const [port, proxyPort] = [await freePort(), await freePort()];
  const { certificate, privateKey } = createTestCertificate("localhost");
  folder = await mkdtemp(join(tmpdir(), "latchkey-proxy-"));
  await writeFile(join(folder, "authority.pem"), certificate);
  mailServer = await startMailServer();
  const mail = { MAIL_URL: mailServer.url, MAIL_FROM: "id@example.com" };
  ground = await startLatchkey({
    stores: "redis",
    settings: { ISSUER: `https://localhost:${proxyPort}`, PORT: String(port), ...mail },
  });
  await ground.stopNode();
  proxy = startProxy(port, { cert: certificate, key: privateKey });
  await new Promise<void>((resolve) => void proxy.listen(proxyPort, "127.0.0.1", resolve));
});
/** A new server each time: it remembers what came by. */
beforeEach(async () => {
  latchkey = await startNode({ settings: ground.settings });
  await untilNodesRun(latchkey, 1);
});
afterEach(() => latchkey.stopNode());
afterAll(async () => {
  proxy.close();
  await mailServer.close();
  await ground.close();
  await rm(folder, { recursive: true });
});

function startProxy(port: number, tls: { readonly cert: string; readonly key: string }): Server {
  return createServer(tls, (incoming, outgoing) => {
    const { host, headers, changeCookie = (header) => header, cacheControl } = way;
    const passed = { ...incoming.headers, ...headers, ...(host === undefined ? {} : { host }) };
    const forwarded = request({ port, host: "127.0.0.1", path: incoming.url, headers: passed }, (answer) => {
      const cookies = answer.headers["set-cookie"]?.map(changeCookie);
      outgoing.writeHead(answer.statusCode ?? 502, {
        ...answer.headers,
        ...(cookies === undefined ? {} : { "set-cookie": cookies }),
        ...(cacheControl === undefined ? {} : { "cache-control": cacheControl }),
      });
      answer.pipe(outgoing);
    });
    forwarded.once("error", () => outgoing.destroy());
    forwarded.end();
  });
}

/** As a process, because it takes certificate authorities from its surroundings at its start. */
async function findTrouble(surroundings: Readonly<Record<string, string>> = {}) {
  const certificates = { NODE_EXTRA_CA_CERTS: join(folder, "authority.pem"), ...surroundings };
  const settings = { ...(latchkey.settings as Readonly<Record<string, string>>), ...certificates };
  const command = startProcess({ folder: await builtServer(), settings, args: ["doctor", "--json"] });
  const exitCode = await command.exited;
  const output = command.output();
  const { findings } = JSON.parse(output.slice(output.indexOf("{"))) as {
    findings: readonly { check: string; status: string; meaning: string }[];
  };
  const isWrong = ({ status, check }: { status: string; check: string }): boolean =>
    status !== "ok" && check !== "redis.persistence";
  return { exitCode, trouble: findings.filter(isWrong).map(({ status, check }) => `${status} ${check}`), findings };
}

test("with a certificate and cookies as they should be, all is well", async () => {
  way = {};
  const { exitCode, trouble, findings } = await findTrouble();
  expect(trouble).toEqual([]);
  expect(exitCode).toBe(0);
  const meaningOf = (name: string) => findings.find(({ check }) => check === name)?.meaning;
  expect(meaningOf("tls")).toMatch(/accepted, and valid for \d+ days more/);
  expect(meaningOf("cookies")).toMatch(/keeps the [2-9] cookies/);
});

test("a certificate that this machine does not accept is named", async () => {
  way = {};
  const { exitCode, findings } = await findTrouble({ NODE_EXTRA_CA_CERTS: "" });
  expect(exitCode).toBe(1);
  expect(findings.find(({ check }) => check === "tls")?.meaning).toContain("DEPTH_ZERO_SELF_SIGNED_CERT");
});

test.each([
  ["takes Secure from cookies", { changeCookie: (one: string) => one.replace(/; secure/i, "") }, "failure cookies"],
  ["takes HttpOnly from cookies", { changeCookie: (one: string) => one.replace(/; httponly/i, "") }, "warning cookies"],
  ["lets caches keep everything for a day", { cacheControl: "public, max-age=86400" }, "failure key-cache"],
  ["sends another Host", { host: "127.0.0.1" }, "failure issuer"],
])("a proxy that %s is found", async (_, given, expected) => {
  way = given;
  expect((await findTrouble()).trouble).toContain(expected);
});

test("a proxy that nobody named is seen by the servers behind it", async () => {
  way = { headers: { "x-forwarded-for": "198.51.100.7" } };
  await findTrouble();
  await expect
    .poll(async () => (await latchkey.nodes.list())[0]?.proxy?.untrusted ?? 0, EVENTUALLY)
    .toBeGreaterThanOrEqual(0.1);
  expect((await findTrouble()).trouble).toContainEqual(expect.stringMatching(/(warning|failure) proxies\.untrusted/));
});
