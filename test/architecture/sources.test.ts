import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sourceFiles } from "./source-files.ts";

const SOURCE = join(import.meta.dirname, "../../src");

/** Where `pattern` stands in the code of `src/` (not in its tests), as `file:line`, `allowed` files left out. */
function findInSources(pattern: RegExp, allowed: RegExp): readonly string[] {
  return sourceFiles(SOURCE)
    .filter((file) => !file.endsWith(".test.ts") && !allowed.test(file))
    .flatMap((file) =>
      readFileSync(join(SOURCE, file), "utf8")
        .split("\n")
        .flatMap((line, index) => (pattern.test(line) && !isComment(line) ? [`${file}:${index + 1}`] : [])),
    );
}

function isComment(line: string): boolean {
  return /^\s*(\/\/|\/?\*)/.test(line);
}

describe("what only some files may do", () => {
  const FORBIDDEN = [
    {
      what: "the environment is read in config and at the start only",
      pattern: /\bprocess\.env\b/,
      allowed: /^(config\/|cli\.ts$|main\.ts$)/,
    },
    {
      what: "time comes from core only",
      pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/,
      allowed: /^(core\/|observability\/logger\.ts$|verifier\/platform\.ts$)/,
    },
    {
      what: "randomness comes from core only",
      pattern: /\bMath\.random\(|\brandom(Bytes|UUID|Int|FillSync)\(|\bgetRandomValues\(/,
      allowed: /^(core\/|verifier\/platform\.ts$)/,
    },
    {
      what: "the process is ended by what started it only",
      pattern: /\bprocess\.exit\(/,
      allowed: /^(until-signal|cli)\.ts$/,
    },
  ] as const;

  test.each(FORBIDDEN)("$what", ({ pattern, allowed }) => {
    expect(findInSources(pattern, allowed)).toEqual([]);
  });

  test.each(FORBIDDEN)(
    "the canary: $what, and the search for it finds something where it is allowed",
    ({ pattern }) => {
      const samples = ["process.env.PORT", "new Date()", "Math.random()", "process.exit(1)"];
      expect(samples.filter((sample) => pattern.test(sample))).toHaveLength(1);
    },
  );
});

describe("doors", () => {
  test("every index.ts opens with 3 to 15 lines that say what the folder owns", () => {
    const doors = sourceFiles(SOURCE).filter((file) => /^[^/]+\/index\.ts$/.test(file));
    const unsaid = doors.filter((file) => {
      const comment = /^\/\*\*\n((?: \*.*\n)+?) \*\//.exec(readFileSync(join(SOURCE, file), "utf8"))?.[1] ?? "";
      const lines = comment.split("\n").length - 1;
      return lines < 3 || lines > 15;
    });
    expect(unsaid).toEqual([]);
  });

  test("no folder is a drawer", () => {
    expect(
      sourceFiles(SOURCE).filter((file) => /(^|\/)(utils?|helpers?|shared|lib|common|misc)(\/|\.ts$)/.test(file)),
    ).toEqual([]);
  });
});
