import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createAudit } from "../audit/index.ts";
import { createKeySeals } from "../core/index.ts";
import { createKeyRing, createSigningKeyCommands } from "../oidc/index.ts";
import { createRevocations } from "../sessions/index.ts";
import { createMigrations, type Database, openEmbedded } from "../storage/index.ts";
import type { Services } from "./command.ts";
import { executeCommand } from "./execute.ts";

const DAY_SECONDS = 24 * 60 * 60;
const secrets = ["s".repeat(40)];
const times = { rotationSeconds: 90 * DAY_SECONDS, leadSeconds: 600, hintSeconds: 14 * DAY_SECONDS };
const time = { nowMs: 0 };
const clock = { nowMs: () => time.nowMs };

let database: Database;
let services: Services;

beforeAll(async () => {
  database = await openEmbedded(undefined);
  const { db } = database;
  const migrations = createMigrations(db);
  await migrations.apply();
  // What the other commands work with is not asked for here.
  services = { migrations, signingKeys: createSigningKeyCommands({ ...parts(), times }) } as unknown as Services;
}, 30_000);
afterAll(() => database.close());

function parts() {
  const { db } = database;
  const shared = { db, clock, audit: createAudit({ db, clock }), revocations: createRevocations({ db, clock }) };
  return { ...shared, seals: createKeySeals(secrets, "signing-key"), externalKeys: undefined };
}

beforeEach(async () => {
  time.nowMs = Date.UTC(2026, 0, 1, 8, 30);
  await sql`truncate oidc_signing_keys`.execute(database.db);
  const ring = createKeyRing({ ...parts(), database, secrets, times, reportFailure: () => undefined });
  await ring.start();
  await ring.close();
});

async function execute(command: string, input: unknown = {}) {
  const answer = await executeCommand(services, { command, input }, () => undefined);
  return answer.outcome === "done" ? { ...answer, code: "", sentence: "" } : { ...answer, text: "", data: undefined };
}

const kidOf = async (algorithm: string, state: string): Promise<string> =>
  (await services.signingKeys.list()).find((key) => key.algorithm === algorithm && key.state === state)?.kid ?? "";

test("keys are listed with their states, and with what happens to each next", async () => {
  time.nowMs += 600_000;
  await execute("keys rotate", { algorithms: ["ES256"] });
  const { text } = await execute("keys list");
  const lines = text.split("\n");
  expect(lines[0]).toMatch(/^ALGORITHM +STATE +KEY +CREATED +SIGNED FROM +UNTIL +NEXT$/);
  expect(lines.filter((line) => line.startsWith("ES256"))).toEqual([
    expect.stringMatching(
      /^ES256 +current +[\w-]{43} +2026-01-01 08:30Z +2026-01-01 08:40Z +- +signs until 2026-04-01/,
    ),
    expect.stringMatching(/^ES256 +next +[\w-]{43} +2026-01-01 08:40Z +- +- +signs from 2026-04-01 08:40Z$/),
    expect.stringMatching(
      /^ES256 +retired +[\w-]{43} +2026-01-01 08:30Z .* 2026-01-01 08:40Z +goes 2026-01-15 08:46Z$/,
    ),
  ]);
  expect(lines).toHaveLength(10);
});

test("rotating too early says until when to wait, and what to say if it cannot wait", async () => {
  expect(await execute("keys rotate")).toMatchObject({
    code: "KEY_NOT_READY",
    sentence: expect.stringMatching(/published for long enough\. .*before 2026-01-01T08:40:00Z; .*--emergency/),
  });
  time.nowMs += 600_000;
  const next = await kidOf("ES256", "next");
  expect((await execute("keys rotate", { algorithms: ["ES256"] })).text).toContain(next);
  expect(await kidOf("ES256", "current")).toBe(next);
});

test("an emergency names what is withdrawn and says what that breaks", async () => {
  const leaked = await kidOf("ES256", "current");
  time.nowMs += 600_000;
  const { text } = await execute("keys rotate", { algorithms: ["ES256"], emergency: true, nextToo: false });
  expect(text).toContain(`refused from now on:\n  ${leaked}\n`);
  expect(text).toContain("id_token_hint");
  expect(text).not.toContain("have not had the time");
});

test("an emergency that takes the next keys along says that services do not know what signs now", async () => {
  const next = await kidOf("RS256", "next");
  const { text, data } = await execute("keys rotate", { emergency: true, nextToo: true });
  expect(text).toContain("- RS256, PS256, ES256, EdDSA: services have not had the time");
  expect(data).toMatchObject({ withdrawn: expect.arrayContaining([next]), created: 8 });
});

test("a next key is retired, a current one is not, and a made-up one is not found", async () => {
  const next = await kidOf("EdDSA", "next");
  expect((await execute("keys retire", { kid: next })).text).toContain("another one is published as next");
  expect(await kidOf("EdDSA", "next")).not.toBe(next);
  expect(await execute("keys retire", { kid: await kidOf("EdDSA", "current") })).toMatchObject({ code: "KEY_IN_USE" });
  expect(await execute("keys retire", { kid: "made-up" })).toMatchObject({ code: "KEY_NOT_FOUND" });
});
