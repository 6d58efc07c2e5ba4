import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const BINARY = /\.(png|jpg|ico|woff2)$/;

/** Files that are tracked, or would be by the next commit. */
function listFiles(): readonly string[] {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
  const deleted = new Set(
    execFileSync("git", ["ls-files", "-z", "--deleted"], { cwd: ROOT, encoding: "utf8" }).split("\0"),
  );
  return execFileSync("git", args, { cwd: ROOT, encoding: "utf8" })
    .split("\0")
    .filter((file) => file !== "" && !deleted.has(file) && !BINARY.test(file));
}

/** `file:line` of each place where `pattern` stands. */
function findInFiles(pattern: RegExp): readonly string[] {
  return listFiles().flatMap((file) =>
    readFileSync(join(ROOT, file), "utf8")
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : [])),
  );
}

// The samples are written in parts, so that this file does not find itself.
const SECRETS = [
  {
    what: "a private key",
    pattern: /-{5}BEGIN [A-Z ]*PRIVATE KEY-{5}/,
    sample: ["-----BEGIN RSA", "PRIVATE", "KEY-----"].join(" "),
  },
  { what: "a private JWK", pattern: /"d"\s*:\s*"[A-Za-z0-9_-]{40,}"/, sample: `{"d":"${"a".repeat(43)}"}` },
  {
    what: "a signed JWT",
    pattern: /\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}/,
    sample: ["eyJ", "eyJ", "sig"].map((part) => part.padEnd(30, "a")).join("."),
  },
  {
    what: "an access key of a cloud",
    pattern: /\b(AKIA|ghp_|xox[bp]-)[A-Za-z0-9]{16,}/,
    sample: `AKIA${"A".repeat(16)}`,
  },
  {
    what: "a path of somebody's machine",
    pattern: /(^|[\s"'`=(:])\/(work|home|Users|root)\/[a-z]/i,
    sample: ["see ", "work", "main"].join("/"),
  },
] as const;

describe("committed files", () => {
  test.each(SECRETS)("no file holds $what", ({ pattern }) => {
    expect(findInFiles(pattern)).toEqual([]);
  });

  test.each(SECRETS)("the canary: $what is recognized", ({ pattern, sample }) => {
    expect(sample).toMatch(pattern);
  });

  test("the lock file and .npmrc name no registry: packages come from wherever npm is set up to look", () => {
    expect(readFileSync(join(ROOT, "package-lock.json"), "utf8")).not.toMatch(/"resolved": "https?:/);
    expect(readFileSync(join(ROOT, ".npmrc"), "utf8")).not.toMatch(/^\s*(@[^:]+:)?registry\s*=/m);
  });
});
