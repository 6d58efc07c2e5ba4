import { sql } from "kysely";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createAudit, createAuditChain } from "../audit/index.ts";
import { createKeySeals, systemClock } from "../core/index.ts";
import { createMigrations } from "../storage/index.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import type { Services } from "./command.ts";
import { parseCommandLine } from "./command-line.ts";
import { executeCommand } from "./execute.ts";
import type { Terminal } from "./terminal.ts";

type TestDatabase = Awaited<ReturnType<typeof openTestEmbedded>>;

const SECRET = "s".repeat(40);

let database: TestDatabase;
let services: Services;

/** What the other commands work with is not asked for here. */
function servicesOn({ db, patientDb }: TestDatabase, secret: string): Services {
  const parts = { db, patientDb, clock: systemClock, issuer: "https://id.example.com", retentionDays: 400 };
  const seals = createKeySeals([secret], "audit-key");
  const auditChain = createAuditChain({ ...parts, seals, audit: createAudit(parts) });
  return { migrations: createMigrations(db), auditChain } as unknown as Services;
}

beforeAll(async () => {
  database = await openTestEmbedded();
  services = servicesOn(database, SECRET);
}, 60_000);
afterAll(() => database.close());

async function execute(command: string, input: unknown = {}, given = services) {
  return executeCommand(given, { command, input }, (error) => expect(error).toBeUndefined());
}

/** What is typed, with one file that can be read. */
async function read(argv: readonly string[], file: string) {
  const told: string[] = [];
  const terminal = {
    writeOut: (text: string) => told.push(text),
    writeError: (text: string) => told.push(text),
    readFile: async () => file,
  } as unknown as Terminal;
  return { request: await parseCommandLine(argv, terminal), told: told.join("") };
}

test("a checkpoint is exported, given back, and says where the chain was cut off", async () => {
  expect(await execute("audit checkpoint")).toMatchObject({ outcome: "failed", code: "AUDIT_NOT_SEALED" });
  const audit = createAudit({ db: database.db, clock: systemClock });
  await audit.append(database.db, { type: "client_created", clientId: "shopWeb" });
  const exported = await execute("audit checkpoint");
  if (exported.outcome !== "done") throw new Error(exported.sentence);
  expect(JSON.parse(exported.text)).toEqual(exported.data);
  expect(exported.data).toMatchObject({ statement: expect.stringContaining('"position":"1"') });

  const { request } = await read(["audit", "verify", "--checkpoint", "kept.json"], exported.text);
  expect(request).toMatchObject({ kind: "command", invocation: { command: "audit verify" } });
  if (request.kind !== "command") throw new Error("it was not understood");
  const whole = await execute(request.invocation.command, request.invocation.input);
  expect(whole).toMatchObject({ outcome: "done", data: { verdict: "intact", checkpoint: "matches" } });
  expect(whole).not.toHaveProperty("exitCode");
  expect(whole.outcome === "done" && whole.text).toContain("The chain is whole.");

  await sql`update audit_chain set position = 0, hash = ''`.execute(database.db);
  const broken = await execute(request.invocation.command, request.invocation.input);
  expect(broken).toMatchObject({
    outcome: "done",
    exitCode: 1,
    data: { verdict: "broken", break: { kind: "cut_off" } },
  });
  expect(broken.outcome === "done" && broken.text).toMatch(/BROKEN \(cut_off\) at position 0: The chain ends at/);
});

test("the key that signs is replaced where its secret was lost, and nowhere else", async () => {
  const own = await openTestEmbedded();
  onTestFinished(() => own.close());
  const { request } = await read(["audit", "replace-key"], "");
  expect(request).toMatchObject({ kind: "command", invocation: { command: "audit replace-key", input: {} } });
  const [before, after] = [servicesOn(own, SECRET), servicesOn(own, "n".repeat(40))];
  await createAudit({ db: own.db, clock: systemClock }).append(own.db, { type: "client_created", clientId: "shopWeb" });
  const early = await execute("audit checkpoint", {}, before);
  expect(await execute("audit replace-key", {}, before)).toMatchObject({ code: "AUDIT_KEY_PRESENT" });
  expect(await execute("audit checkpoint", {}, after)).toMatchObject({ code: "SECRET_UNKNOWN" });
  const replaced = await execute("audit replace-key", {}, after);
  expect(replaced.outcome === "done" && replaced.text).toContain("signs the audit log from now on");
  expect(await execute("audit checkpoint", {}, after)).toMatchObject({ outcome: "done" });
  const checkpoint = early.outcome === "done" ? early.data : undefined;
  expect(await execute("audit verify", { checkpoint }, after)).toMatchObject({ data: { checkpoint: "matches" } });
});

test.each(["", "{}", '{"statement": "x"}'])("a file that is no checkpoint is refused: %j", async (file) => {
  const { request, told } = await read(["audit", "verify", "--checkpoint", "kept.json"], file);
  expect(request).toEqual({ kind: "finished", exitCode: 2 });
  expect(told).toContain("kept.json is no checkpoint");
});
