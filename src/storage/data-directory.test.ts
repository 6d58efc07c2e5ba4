import { fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { DataDirectoryLockedError, lockDataDirectory } from "./data-directory.ts";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-data-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "data");
}

/** Another process that locks the folder: says "locked" or the sentence of its failure, and then stays. */
async function lockElsewhere(path: string) {
  const script = join(path, "..", "hold.ts");
  const locker = join(import.meta.dirname, "data-directory.ts");
  writeFileSync(
    script,
    `const { lockDataDirectory } = await import(${JSON.stringify(locker)});
     try { globalThis.held = lockDataDirectory(${JSON.stringify(path)}); process.send("locked"); }
     catch (error) { process.send(error.message); }
     setInterval(() => {}, 60_000);`,
  );
  const child = fork(script, { stdio: "ignore", execArgv: [] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [said] = (await once(child, "message")) as [string];
  return { child, said };
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test("the folder is made for its owner only, with a secret that stays the same", () => {
  const path = newFolder();
  const first = lockDataDirectory(path);
  expect(modeOf(path)).toBe("700");
  expect(modeOf(join(path, "secret"))).toBe("600");
  expect(first.secret).toMatch(/^[\w-]{64}$/);
  expect(first).toMatchObject({ path, databasePath: join(path, "database"), socketPath: join(path, "control.sock") });
  first.release();
  const second = lockDataDirectory(path);
  expect(second.secret).toBe(first.secret);
  second.release();
});

test("a second lock in this process fails with a sentence, until the first is released", () => {
  const path = newFolder();
  const first = lockDataDirectory(path);
  expect(() => lockDataDirectory(path)).toThrow(DataDirectoryLockedError);
  first.release();
  lockDataDirectory(path).release();
});

test("another process is told who runs and what to do", async () => {
  const path = newFolder();
  const held = lockDataDirectory(path);
  onTestFinished(() => held.release());
  const { said } = await lockElsewhere(path);
  expect(said).toBe(
    `Latchkey is already running on the data directory ${path}. Stop it first, or set DATA_DIR to another folder.`,
  );
});

test("a holder that is killed holds nothing", async () => {
  const path = newFolder();
  const { child, said } = await lockElsewhere(path);
  expect(said).toBe("locked");
  expect(() => lockDataDirectory(path)).toThrow("already running");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(() => lockDataDirectory(path).release()).not.toThrow();
});

test("access that was opened too wide is closed again", () => {
  const path = newFolder();
  lockDataDirectory(path).release();
  writeFileSync(join(path, "secret"), `${"an-operator-wrote-this-".repeat(2)}\n`);
  chmodSync(path, 0o755);
  chmodSync(join(path, "secret"), 0o644);
  const held = lockDataDirectory(path);
  onTestFinished(() => held.release());
  expect([modeOf(path), modeOf(join(path, "secret"))]).toEqual(["700", "600"]);
  expect(held.secret).toBe("an-operator-wrote-this-".repeat(2));
});
