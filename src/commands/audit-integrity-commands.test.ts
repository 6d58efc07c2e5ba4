import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAudit, createAuditChain } from "../audit/index.ts";
import { createKeySeals, systemClock } from "../core/index.ts";
import { createMigrations } from "../storage/index.ts";
import { openTestEmbedded } from "../../test/support/stores.ts";
import type { Services } from "./command.ts";
import { parseCommandLine } from "./command-line.ts";
import { executeCommand } from "./execute.ts";
import type { Terminal } from "./terminal.ts";

let database: Awaited<ReturnType<typeof openTestEmbedded>>;
let services: Services;

beforeAll(async () => {
  database = await openTestEmbedded();
  const { db, patientDb } = database;
  const seals = createKeySeals(["s".repeat(40)], "audit-key");
  const parts = { db, patientDb, clock: systemClock, issuer: "https://id.example.com", retentionDays: 400 };
  // What the other commands work with is not asked for here.
  services = {
    migrations: createMigrations(db),
    auditChain: createAuditChain({ ...parts, seals }),
  } as unknown as Services;
}, 60_000);
afterAll(() => database.close());

async function execute(command: string, input: unknown = {}) {
  return executeCommand(services, { command, input }, (error) => expect(error).toBeUndefined());
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

test.each(["", "{}", '{"statement": "x"}'])("a file that is no checkpoint is refused: %j", async (file) => {
  const { request, told } = await read(["audit", "verify", "--checkpoint", "kept.json"], file);
  expect(request).toEqual({ kind: "finished", exitCode: 2 });
  expect(told).toContain("kept.json is no checkpoint");
});
