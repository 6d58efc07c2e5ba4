import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";

const ROOT = join(import.meta.dirname, "../..");
const LIMITS = new Set(["max-lines", "max-lines-per-function", "max-params"]);

const reportSchema = z.object({ diagnostics: z.array(z.object({ code: z.string(), filename: z.string() })) });

/** What the linter, as it is configured, says about the length of files and functions: `limit file`. */
async function findTooLong(path: string): Promise<readonly string[]> {
  const args = ["--config", join(ROOT, "oxlint.config.ts"), "--format", "json", path];
  // The linter's own exit code says that it found something, which is for the test to judge.
  const output = await new Promise<string>((resolve) => {
    execFile(join(ROOT, "node_modules/.bin/oxlint"), args, { cwd: ROOT, maxBuffer: 2 ** 26 }, (_error, stdout) =>
      resolve(stdout),
    );
  });
  const { diagnostics } = reportSchema.parse(JSON.parse(output));
  return diagnostics.flatMap(({ code, filename }) => {
    const limit = /\(([^)]+)\)/.exec(code)?.[1] ?? code;
    return LIMITS.has(limit) ? [`${limit} ${filename}`] : [];
  });
}

const statements = (count: number): string => "  run();\n".repeat(count);

test.each(["src", "migrations", "examples"])(
  "no file of %s has more than 400 lines, no function more than 70",
  async (folder) => {
    expect(await findTooLong(join(ROOT, folder))).toEqual([]);
  },
);

test.each([
  { what: "a file of 401 lines", text: "run();\n".repeat(401), found: ["max-lines"] },
  { what: "a file of 400 lines", text: "run();\n".repeat(400), found: [] },
  {
    what: "a function of 71 lines",
    text: `export function a() {\n${statements(69)}}\n`,
    found: ["max-lines-per-function"],
  },
  { what: "a function of 70 lines", text: `export function a() {\n${statements(68)}}\n`, found: [] },
])("the canary: $what gives $found.length findings", async ({ text, found }) => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-canary-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "long.ts"), text);
  const limits = (await findTooLong(folder)).map((finding) => finding.split(" ")[0]);
  expect(limits).toEqual(found);
});
