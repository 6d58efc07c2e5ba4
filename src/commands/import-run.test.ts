import { describe, expect, test } from "vitest";
import type { Invocation } from "./command.ts";
import { failed } from "./execute.ts";
import { parseFirebaseConfig } from "./firebase-config.ts";
import { runImport } from "./import-run.ts";
import type { Format } from "./request.ts";
import type { Terminal } from "./terminal.ts";

interface Told {
  readonly imported: number;
  readonly present: readonly number[];
  readonly refused: readonly { readonly line: number; readonly problem: string }[];
}

/** Runs an import of a file of so many lines, of which each batch gets the next answer. */
async function run(
  lineCount: number,
  answers: readonly (Told | "failed")[],
  { format = "text", isThere = true }: { readonly format?: Format; readonly isThere?: boolean } = {},
) {
  const written = { out: "", error: "" };
  const asked: Invocation[] = [];
  const terminal = {
    writeOut: (text: string) => void (written.out += text),
    writeError: (text: string) => void (written.error += text),
    async *streamFile(path: string) {
      if (!isThere) throw Object.assign(new Error(path), { code: "ENOENT", syscall: "open" });
      yield Buffer.from("{}\n".repeat(lineCount));
    },
  } as unknown as Terminal;
  const exitCode = await runImport({
    order: { file: "people.ndjson", mode: "import", firebase: undefined },
    format,
    terminal,
    async execute(invocation) {
      const answer = answers[asked.length] ?? "failed";
      asked.push(invocation);
      return answer === "failed"
        ? failed("STORE_UNAVAILABLE", "This server cannot reach its storage right now.")
        : { outcome: "done", data: answer, text: "" };
    },
  });
  return { exitCode, asked, ...written };
}

const all = (imported: number): Told => ({ imported, present: [], refused: [] });

describe("user import", () => {
  test("sends a file batch by batch, and sums up", async () => {
    const { exitCode, asked, out } = await run(250, [all(100), all(100), all(50)]);
    expect(asked.map(({ input }) => (input as { lines: readonly unknown[] }).lines.length)).toEqual([100, 100, 50]);
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: "Imported: 250. Here already: 0. Refused: 0.\n" });
  });

  test("tells of every line that was left out, and ends with 1 when one was refused", async () => {
    const told = { imported: 1, present: [3], refused: [{ line: 2, problem: "email is no address" }] };
    expect(await run(3, [told])).toMatchObject({
      exitCode: 1,
      out: [
        "line 2: email is no address",
        "line 3: there is an account with this address; it was left as it is",
        "Imported: 1. Here already: 1. Refused: 1.\n",
      ].join("\n"),
    });
    expect(await run(1, [{ ...all(0), present: [1] }])).toMatchObject({ exitCode: 0 });
  });

  test("tells programs the same, an object a line", async () => {
    const told = { imported: 1, present: [3], refused: [{ line: 2, problem: "email is no address" }] };
    const { out } = await run(3, [told], { format: "json" });
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { line: 2, outcome: "refused", problem: "email is no address" },
      { line: 3, outcome: "present", problem: expect.any(String) },
      { imported: 1, present: 1, refused: 1, mode: "import" },
    ]);
  });

  test("stops where it cannot go on, and says that it can be repeated", async () => {
    const { exitCode, asked, error } = await run(250, [all(100), "failed"]);
    expect({ exitCode, asked: asked.length }).toEqual({ exitCode: 1, asked: 2 });
    expect(error).toContain("cannot reach its storage");
    expect(error).toContain("100 were imported before that. Run the same command again");
  });

  test("says that a file cannot be read", async () => {
    const { exitCode, error } = await run(1, [], { isThere: false });
    expect({ exitCode, error }).toEqual({ exitCode: 1, error: "people.ndjson cannot be read.\n" });
  });
});

describe("Firebase's hash parameters", () => {
  const config = { signerKey: "jxspr8Ki0RYy/z+XA==", saltSeparator: "Bw==", rounds: 8, memoryCost: 14 };

  test("are read as the console shows them, and as its API answers", () => {
    const shown = `hash_config {
      algorithm: SCRYPT,
      base64_signer_key: ${config.signerKey},
      base64_salt_separator: Bw==,
      rounds: 8,
      mem_cost: 14,
    }`;
    expect(parseFirebaseConfig(shown)).toEqual(config);
    expect(parseFirebaseConfig(JSON.stringify({ hashConfig: { algorithm: "SCRYPT", ...config } }))).toEqual(config);
  });

  test.each(["", "rounds: 8", JSON.stringify({ ...config, memoryCost: 30 }), JSON.stringify({ ...config, rounds: 9 })])(
    "are none in %j",
    (text) => {
      expect(parseFirebaseConfig(text)).toBeUndefined();
    },
  );
});
