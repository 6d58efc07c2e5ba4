import { fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { DataDirectoryLockedError, lockDataDirectory, lockEmptyDirectory, lockExistingData } from "./data-directory.ts";

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

const SECRET = "the-secret-of-a-backup-that-is-long-enough";

test("what was staged is a data directory once it is completed, and not before", () => {
  const path = newFolder();
  const staged = lockEmptyDirectory(path, SECRET);
  expect(() => lockDataDirectory(path)).toThrow(DataDirectoryLockedError);
  mkdirSync(staged.stageDatabasePath);
  writeFileSync(join(staged.stageDatabasePath, "PG_VERSION"), "18");
  expect(() => lockExistingData(path)).toThrow(DataDirectoryLockedError);
  staged.complete();
  staged.release();
  expect(readdirSync(path).toSorted()).toEqual(["database", "lock", "secret"]);
  const held = lockExistingData(path);
  onTestFinished(() => held.release());
  expect(held.secret).toBe(SECRET);
  expect(readFileSync(join(held.databasePath, "PG_VERSION"), "utf8")).toBe("18");
  expect([modeOf(path), modeOf(join(path, "secret"))]).toEqual(["700", "600"]);
});

test("what was staged and not completed is gone, and the folder is as empty as before", () => {
  const path = newFolder();
  const staged = lockEmptyDirectory(path, SECRET);
  mkdirSync(staged.stageDatabasePath);
  staged.release();
  expect(readdirSync(path)).toEqual(["lock"]);
  expect(() => lockExistingData(path)).toThrow("DATA_DIRECTORY_ABSENT");
  lockEmptyDirectory(path, SECRET).release();
});

test.each(["secret", "database", "somebody-elses"])(
  "a folder with %s in it is not staged in, and nothing is touched",
  (name) => {
    const path = newFolder();
    mkdirSync(path);
    writeFileSync(join(path, name), "precious");
    expect(() => lockEmptyDirectory(path, SECRET)).toThrow("DATA_DIRECTORY_NOT_EMPTY");
    expect(readFileSync(join(path, name), "utf8")).toBe("precious");
    expect(readdirSync(path).toSorted()).toEqual(["lock", name].toSorted());
  },
);

test("a restore that was killed between its two last steps starts no server, and is begun anew", () => {
  const path = newFolder();
  mkdirSync(join(path, "restoring"), { recursive: true });
  mkdirSync(join(path, "database"));
  expect(() => lockDataDirectory(path)).toThrow("DATA_DIRECTORY_UNFINISHED");
  expect(() => lockExistingData(path)).toThrow("DATA_DIRECTORY_UNFINISHED");
  expect(readdirSync(path).toSorted()).toEqual(["database", "lock", "restoring"]);
  const staged = lockEmptyDirectory(path, SECRET);
  onTestFinished(() => staged.release());
  expect(readdirSync(path)).not.toContain("database");
});

test("a command that needs data makes no folder for them", () => {
  const path = newFolder();
  expect(() => lockExistingData(path)).toThrow("DATA_DIRECTORY_ABSENT");
  expect(() => statSync(path)).toThrow("ENOENT");
});
