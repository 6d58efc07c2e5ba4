import { createServer } from "node:https";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { askServer, executeCommand, startControlServer } from "../../../src/commands/index.ts";
import { readCertificate } from "../../../src/doctor/certificate.ts";
import { createTestCertificate } from "../../../src/outbound/test-certificate.ts";
import { openServices } from "../../../src/services.ts";
import { startLatchkey, startNode, type TestLatchkey } from "../../support/latchkey.ts";
import { untilNodesRun } from "../../support/running-nodes.ts";
import { type MailServer, startMailServer } from "../../support/mail-server.ts";
import { freePort } from "../../support/servers.ts";
import { createTestRedis } from "../../support/stores.ts";
import { startProcess } from "../../install/latchkey-process.ts";
import { builtServer } from "../../support/built-server.ts";

const EVENTUALLY = { timeout: 10_000, interval: 50 };
const PASSWORD = "hunter2hunter2";

type Findings = readonly { readonly check: string; readonly status: string; readonly meaning: string }[];

async function examine(latchkey: Pick<TestLatchkey, "doctor">): Promise<Findings> {
  return latchkey.doctor.examine();
}

/** What is not as it should be; the Redis of the tests keeps nothing on purpose. */
async function troubleOf(latchkey: Pick<TestLatchkey, "doctor">): Promise<readonly string[]> {
  const findings = await examine(latchkey);
  return findings
    .filter(({ status, check }) => status !== "ok" && check !== "redis.persistence")
    .map(({ check }) => check);
}

async function meaningOf(latchkey: TestLatchkey, check: string): Promise<string | undefined> {
  return (await examine(latchkey)).find((finding) => finding.check === check)?.meaning;
}

describe("on Postgres and Redis", () => {
  let latchkey: TestLatchkey;
  let second: TestLatchkey | undefined;
  let mailServer: MailServer;

  beforeAll(async () => {
    mailServer = await startMailServer({ credentials: { user: "latchkey", password: PASSWORD } });
    latchkey = await startLatchkey({ stores: "redis", settings: mailSettings(PASSWORD) });
    await untilNodesRun(latchkey, 1);
  });
  afterEach(async () => {
    await second?.stopNode();
    second = undefined;
  });
  afterAll(async () => {
    await latchkey.close();
    await mailServer.close();
  });

  function mailSettings(password: string) {
    const MAIL_URL = mailServer.url.replace("://", `://latchkey:${password}@`);
    return { MAIL_URL, MAIL_FROM: "id@example.com" };
  }

  async function startSecond(changes: Readonly<Record<string, string>> = {}): Promise<void> {
    const settings = { ...latchkey.settings, PORT: String(await freePort()), ...changes };
    second = await startNode({ settings });
    await untilNodesRun(latchkey, 2);
  }

  test("a healthy deployment of two nodes passes", async () => {
    await startSecond();
    expect(await troubleOf(latchkey)).toEqual([]);
    expect(await meaningOf(latchkey, "configuration")).toBe("All 2 servers have the same settings.");
  });

  test("a setting and a secret that differ are named with their nodes, and the secret is never told", async () => {
    const ownRedis = await createTestRedis();
    const withPassword = new URL(ownRedis.url);
    withPassword.password = PASSWORD;
    // A Redis without a password takes any.
    await startSecond({ REGISTRATION: "closed", REDIS_URL: withPassword.href });
    onTestFinished(async () => {
      await second?.stopNode();
      await ownRedis.drop();
    });
    expect(await troubleOf(latchkey)).toEqual(["configuration.REDIS_URL", "configuration.REGISTRATION"]);
    const [first, other] = await latchkey.nodes.list();
    expect(await meaningOf(latchkey, "configuration.REGISTRATION")).toContain(
      `the default on ${first?.name ?? ""} (${first?.id ?? ""}); "closed" on ${other?.name ?? ""} (${other?.id ?? ""})`,
    );
    expect(await meaningOf(latchkey, "configuration.REDIS_URL")).toMatch(
      /digest [\w-]{12} on .*; digest [\w-]{12} on /,
    );
    const told = JSON.stringify([await examine(latchkey), await latchkey.nodes.list()]);
    const { DATABASE_URL, LATCHKEY_SECRET } = latchkey.settings;
    for (const secret of [PASSWORD, DATABASE_URL, LATCHKEY_SECRET, new URL(ownRedis.url).host]) {
      expect(secret).toBeTruthy();
      expect(told.includes(secret ?? "")).toBe(false);
    }
  });

  test("a mail server that does not take our credentials is told from one that is away", async () => {
    await startSecond(mailSettings("wrong"));
    expect(await troubleOf(second ?? latchkey)).toEqual(["configuration.MAIL_URL", "mail"]);
    expect(await meaningOf(second ?? latchkey, "mail")).toContain("does not take our credentials (status_535)");
    await second?.stopNode();
    const nobody = await freePort();
    await startSecond({ MAIL_URL: `smtp://127.0.0.1:${nobody}` });
    expect(await meaningOf(second ?? latchkey, "mail")).toContain(`127.0.0.1:${nobody} does not answer (econnrefused)`);
    expect(mailServer.received).toEqual([]);
  });

  test("a node that stops disappears, and what differed with it", async () => {
    await startSecond({ REGISTRATION: "closed" });
    expect(await troubleOf(latchkey)).toEqual(["configuration.REGISTRATION"]);
    await second?.stopNode();
    expect(await latchkey.nodes.list()).toHaveLength(1);
    expect(await troubleOf(latchkey)).toEqual([]);
  });

  test("keys that were rotated are on every node at once, and what is published follows", async () => {
    await startSecond();
    const { withdrawn } = await latchkey.signingKeys.replace({ nextToo: false });
    expect(withdrawn.length).toBeGreaterThan(0);
    const kids = new Set((await latchkey.signingKeys.list()).map(({ kid }) => kid));
    await expect
      .poll(async () => (await latchkey.nodes.list()).map((node) => new Set(node.kids)), EVENTUALLY)
      .toEqual([kids, kids]);
    expect(await troubleOf(latchkey)).toEqual([]);
  });

  test("the command line ends with 0 while the deployment is well, and changes nothing", async () => {
    const before = await latchkey.nodes.list();
    const command = startProcess({
      folder: await builtServer(),
      settings: asProcess(latchkey),
      args: ["doctor", "--json"],
    });
    expect(await command.exited).toBe(0);
    expect(JSON.parse(command.output())).toMatchObject({ verdict: "well" });
    expect((await latchkey.nodes.list()).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  });
});

/** Without what a process takes from its surroundings. */
function asProcess({ settings }: Pick<TestLatchkey, "settings">): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(settings).filter((entry) => typeof entry[1] === "string"));
}

test("a deployment that is down is told of: servers, issuer and Redis, each by itself", async () => {
  const latchkey = await startLatchkey({ stores: "redis" });
  onTestFinished(() => latchkey.close());
  await latchkey.stopNode();
  const settings = { ...asProcess(latchkey), REDIS_URL: `redis://127.0.0.1:${await freePort()}` };
  const command = startProcess({ folder: await builtServer(), settings, args: ["doctor", "--json"] });
  expect(await command.exited).toBe(1);
  const { verdict, findings } = JSON.parse(command.output()) as { verdict: string; findings: Findings };
  expect(verdict).toBe("wrong");
  const failures = findings.filter(({ status }) => status === "failure").map(({ check }) => check);
  expect(failures).toEqual(["redis", "nodes", "issuer"]);
});

test("a Postgres that is away is a finding, and the rest is looked at all the same", async () => {
  const latchkey = await startLatchkey({ stores: "redis" });
  onTestFinished(() => latchkey.close());
  const url = `postgres://nobody:hunter2@127.0.0.1:${await freePort()}/none`;
  const services = await openServices(
    { ...latchkey.config, database: { ...latchkey.config.database, url } },
    { stores: "untouched", logger: latchkey.logger },
  );
  onTestFinished(() => services.close());
  const findings = await services.doctor.examine();
  const statusOf = (check: string) => findings.find((finding) => finding.check === check)?.status;
  expect(statusOf("postgres")).toBe("failure");
  expect(statusOf("nodes")).toBe("unchecked");
  expect(statusOf("issuer")).toBe("ok");
  expect(statusOf("redis")).toBe("ok");
  expect(JSON.stringify(findings)).not.toContain("hunter2");
});

test("looking with MIGRATIONS=apply applies nothing", async () => {
  const latchkey = await startLatchkey({ stores: "postgres" });
  onTestFinished(() => latchkey.close());
  await latchkey.migrations.revertAll();
  const services = await openServices(latchkey.config, { stores: "untouched", logger: latchkey.logger });
  onTestFinished(() => services.close());
  const findings = await services.doctor.examine();
  expect(findings).toContainEqual(expect.objectContaining({ check: "migrations", status: "failure" }));
  const plan = await executeCommand(services, { command: "plan", input: {} }, () => undefined);
  expect(plan).toMatchObject({ outcome: "done", data: { isNew: true, sideBySide: "yes" } });
  expect(await services.migrations.listPending()).not.toEqual([]);
});

test("embedded, the running server examines itself through the control socket", async () => {
  const latchkey = await startLatchkey({ stores: "embedded" });
  const socketPath = join(latchkey.config.dataDirectory, "control.sock");
  const control = await startControlServer({ socketPath, services: latchkey, logger: latchkey.logger });
  onTestFinished(async () => {
    await control.close();
    await latchkey.close();
  });
  await untilNodesRun(latchkey, 1);
  const answer = await askServer(socketPath, { command: "doctor", input: {} });
  expect(answer).toMatchObject({ outcome: "done", data: { verdict: "well" } });
});

test("settings that are wrong are no finding: scripts are told that nothing was checked", async () => {
  const settings = { DATABASE_URL: "postgres://127.0.0.1/latchkey", ISSUER: "http://id.example.com" };
  expect(await startProcess({ folder: await builtServer(), settings, args: ["doctor"] }).exited).toBe(2);
});

test("a certificate that no client accepts is read all the same", async () => {
  const { certificate: cert, privateKey: key } = createTestCertificate("localhost");
  const server = createServer({ cert, key });
  const port = await freePort();
  await new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const read = await readCertificate(`https://localhost:${port}`);
  expect(read.refusal).toBe("DEPTH_ZERO_SELF_SIGNED_CERT");
  expect(read.validToMs).toBeGreaterThan(0);
  await expect(readCertificate(`https://localhost:${await freePort()}`)).rejects.toThrow("ECONNREFUSED");
});
