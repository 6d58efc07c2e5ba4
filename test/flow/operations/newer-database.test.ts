import { Writable } from "node:stream";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { createLogger } from "../../../src/observability/index.ts";
import { openServices } from "../../../src/services.ts";
import { startProcess } from "../../install/latchkey-process.ts";
import { builtServer } from "../../support/built-server.ts";
import { startLatchkey, type TestLatchkey } from "../../support/latchkey.ts";

let latchkey: TestLatchkey;

beforeAll(async () => {
  latchkey = await startLatchkey({ stores: "postgres" });
  await sql`insert into kysely_migration (name, timestamp) values ('0099-later', '')`.execute(latchkey.database.db);
});
afterAll(() => latchkey.close());
beforeEach(() => sql`delete from migration_effects where name = '0099-later'`.execute(latchkey.database.db));

const note = (sideBySide: boolean): Promise<unknown> =>
  sql`insert into migration_effects values ('0099-later', ${sideBySide})`.execute(latchkey.database.db);

/** Opens the stores as a server does that is restarted; resolves with what it warned of. */
async function open(migrations: "check" | "apply"): Promise<readonly string[]> {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString("utf8"));
      done();
    },
  });
  const logger = createLogger({ level: "warn", destination });
  const services = await openServices({ ...latchkey.config, migrations }, { logger });
  onTestFinished(() => services.close());
  return lines;
}

test.each(["check", "apply"] as const)(
  "an older server starts beside a newer one that lets it, and warns of it: MIGRATIONS=%s",
  async (migrations) => {
    await note(true);
    const lines = await open(migrations);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "warn", migrations: ["0099-later"] });
  },
);

test.each(["check", "apply"] as const)(
  "an older server does not start where a newer version forbids it, or has said nothing: MIGRATIONS=%s",
  async (migrations) => {
    await expect(open(migrations)).rejects.toMatchObject({ code: "DATABASE_NEWER" });
    await note(false);
    await expect(open(migrations)).rejects.toMatchObject({ code: "DATABASE_NEWER" });
  },
);

test("the operator is told which migration it is", async () => {
  await note(false);
  const server = startProcess({ folder: await builtServer(), settings: latchkey.settings });
  expect(await server.exited).toBe(1);
  expect(server.output()).toContain("The database is of a newer version of Latchkey. (it has had 0099-later, which");
});
