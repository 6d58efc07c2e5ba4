import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import * as architecture from "../../architecture.ts";
import { findForbiddenImports, type ImportRules } from "./imports.ts";

const SOURCE = join(import.meta.dirname, "../../src");
const rules: ImportRules = architecture;

/** A small `src/` of its own. */
function plant(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-canary-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

describe("arrows", () => {
  test("the folders import each other as architecture.ts allows, and through their doors", () => {
    expect(findForbiddenImports(SOURCE, rules)).toEqual([]);
  });

  test("every folder of src stands in the table", () => {
    const folders = readdirSync(SOURCE, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(Object.keys(rules.allowedImports)).toEqual(expect.arrayContaining(folders.map(({ name }) => name)));
  });

  test("the table has no cycle", () => {
    const settled = new Set<string>();
    const isSettled = (folder: string): boolean => settled.has(folder);
    for (const _ of Object.keys(rules.allowedImports)) {
      const ready = Object.entries(rules.allowedImports).filter(([, imports]) => imports.every(isSettled));
      for (const [folder] of ready) settled.add(folder);
    }
    expect([...settled].toSorted()).toEqual(Object.keys(rules.allowedImports).toSorted());
  });
});

describe("the canary: a planted violation is reported", () => {
  test.each([
    ["an arrow that points up", "core/clock.ts", 'import { a } from "../oidc/index.ts";', "core may not import oidc"],
    ["a type import", "core/clock.ts", 'import type { A } from "../http/index.ts";', "core may not import http"],
    [
      "a list over several lines",
      "core/a.ts",
      'export {\n  a,\n} from "../http/index.ts";',
      "core may not import http",
    ],
    ["a dynamic import", "core/a.ts", 'const a = await import("../http/index.ts");', "core may not import http"],
    ["a way around the door", "http/a.ts", 'import { a } from "../core/clock.ts";', "entered through its index.ts"],
    ["a side effect", "http/a.ts", 'import "../core/clock.ts";', "entered through its index.ts"],
    ["an import of a file at the top", "http/a.ts", 'import { a } from "../main.ts";', "not for importing"],
    [
      "a file at the top that composes nothing",
      "extra.ts",
      'import { a } from "./core/index.ts";',
      "composition files",
    ],
    ["a package of another folder", "http/a.ts", 'import pg from "pg";', "pg belongs to storage"],
    ["the provider outside oidc", "http/a.ts", 'import type P from "oidc-provider";', "oidc-provider belongs to oidc"],
    ["the provider's inside", "oidc/a.ts", 'import a from "oidc-provider/lib/a.js";', "only oidc/internals.ts"],
    ["the tests' support", "http/a.ts", 'import { a } from "../../test/support/cast.ts";', "it is outside src"],
    ["a module of Node without its prefix", "http/a.ts", 'import { join } from "path";', "written with node:"],
  ])("%s", (_what, file, text, problem) => {
    expect(findForbiddenImports(plant({ [file]: text }), rules)).toEqual([expect.stringContaining(problem)]);
  });

  test("and nothing else is", () => {
    const folder = plant({
      "main.ts": 'import { a } from "./oidc/index.ts";',
      "oidc/index.ts": 'export { a } from "./provider.ts";\nimport type { B } from "../core/index.ts";',
      "oidc/internals.ts": 'import a from "oidc-provider/lib/a.js";',
      "oidc/provider.ts": '// import a from "../http/index.ts";\nexport const door = "../http/index.ts";',
      "oidc/provider.test.ts": 'import { a } from "../http/anything.ts";',
      "demo/index.ts": 'import { a } from "../../examples/api/orders-api.ts";',
    });
    expect(findForbiddenImports(folder, rules)).toEqual([]);
  });
});
