import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VerifierError, type VerifierErrorCode } from "./errors.ts";

const read = (path: string): string => readFileSync(join(import.meta.dirname, path), "utf8");

/** The codes as the catalogue has them. */
function listCodes(): readonly VerifierErrorCode[] {
  const [, catalogue = ""] = /const CATALOGUE = \{\n(.*?)\n\} as const/s.exec(read("errors.ts")) ?? [];
  return [...catalogue.matchAll(/^ {2}(\w+): \{/gm)].map(([, code = ""]) => code as VerifierErrorCode);
}

test("docs/protect-an-api.md lists every code, under the status that it has", () => {
  const rows = read("../../docs/protect-an-api.md")
    .split("\n")
    .filter((line) => /^\| \d{3}/.test(line));
  const documented = rows.flatMap((row) => {
    const [, first = "", codes = ""] = row.split("|");
    return [...codes.matchAll(/`(\w+)`/g)].map(([, code = ""]) => `${first.trim().slice(0, 3)} ${code}`);
  });
  const actual = listCodes().map((code) => `${new VerifierError(code).status} ${code}`);
  expect(documented.toSorted()).toEqual(actual.toSorted());
  expect(actual.length).toBeGreaterThan(20);
});
