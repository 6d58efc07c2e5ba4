import { expect, test } from "vitest";
import type { MigrationPlan } from "../storage/index.ts";
import type { Services } from "./command.ts";
import { executeCommand, leavesUntouched } from "./execute.ts";

const EXPAND = { name: "0008-a", locks: [], sideBySide: true };
const SHORT = { name: "0009-b", locks: [{ table: "clients", kind: "short", bytes: 8_192 }], sideBySide: true } as const;
const SLOW = {
  name: "0010-c",
  locks: [{ table: "accounts", kind: "rewrite", bytes: 3 * 2 ** 20 }],
  sideBySide: false,
} as const;

async function plan(planned: Partial<MigrationPlan>, list: () => Promise<readonly unknown[]> = async () => []) {
  const services = {
    migrations: {
      plan: async () => ({ pending: [], unknown: [], isNew: false, ...planned }),
      listPending: () => Promise.reject(new Error("a plan is made whatever is pending")),
    },
    nodes: { list },
  } as unknown as Services;
  const answer = await executeCommand(services, { command: "plan", input: {} }, () => undefined);
  return answer.outcome === "done" ? answer : { ...answer, text: "", data: undefined };
}

test("what adds tables holds nobody up, and old and new run side by side", async () => {
  const { text, data } = await plan({ pending: [EXPAND] }, async () => [{ name: "web-1:3000", version: "0.1.0" }]);
  expect(data).toMatchObject({
    pending: [EXPAND],
    sideBySide: "yes",
    nodes: [{ name: "web-1:3000", version: "0.1.0" }],
  });
  expect(text).toContain("0008-a     none   yes\n\nLocks: none, no request waits.");
  expect(text).toContain("replace servers one by one. Running now: web-1:3000 (0.1.0).");
});

test("a short lock is told with its table", async () => {
  const { text, data } = await plan({ pending: [EXPAND, SHORT] });
  expect(data).toMatchObject({ sideBySide: "yes" });
  expect(text).toContain("2 migrations, in one transaction");
  expect(text).toMatch(/0009-b +clients \(short\) +yes/);
  expect(text).toContain("Locks: short.");
});

test("one migration that does not let the version before run on decides for all", async () => {
  const { text, data } = await plan({ pending: [EXPAND, SLOW] });
  expect(data).toMatchObject({ sideBySide: "no" });
  expect(text).toContain("the rows of accounts (3.0 MiB) are gone through");
  expect(text).toContain("may not run side by side: stop all servers");
});

test.each([
  [true, "yes", "may run on it meanwhile"],
  [false, "no", "may not run on it"],
])("of a database that is ahead it says whether this version may run on it: %j", async (sideBySide, verdict, words) => {
  const { text, data } = await plan({ unknown: [{ name: "0099-z", sideBySide }] });
  expect(data).toMatchObject({ sideBySide: verdict });
  expect(text).toMatch(/newer version[^]*0099-z/);
  expect(text).toContain(words);
});

test("an empty database, and one that is up to date, have nothing to fear", async () => {
  const { text, data } = await plan({ pending: [SLOW], isNew: true });
  expect(data).toMatchObject({ sideBySide: "yes" });
  expect(text).toContain("The database is empty.");
  expect((await plan({})).text).toBe("The database is up to date: there is nothing to migrate.");
});

test("a database that has no table of nodes yet can be planned for", async () => {
  const { data } = await plan({ pending: [EXPAND] }, () =>
    Promise.reject(new Error('relation "nodes" does not exist')),
  );
  expect(data).toMatchObject({ sideBySide: "yes", nodes: undefined });
});

test("a plan looks, and migrating does not only look", () => {
  expect(leavesUntouched({ command: "plan", input: {} })).toBe(true);
  expect(leavesUntouched({ command: "migrate", input: {} })).toBe(false);
});
