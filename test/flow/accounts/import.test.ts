import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startControlServer } from "../../../src/commands/index.ts";
import { startProcess } from "../../install/latchkey-process.ts";
import { builtServer } from "../../support/built-server.ts";
import { alice, type Person } from "../../support/cast.ts";
import { signInAs } from "../../support/journeys.ts";
import { createWorld, type World } from "../../support/world.ts";

/** Hashes of "plum umbrella glacier": libxcrypt's, and OpenSSL's. */
const BCRYPT = "$2y$06$abcdefghijklmnopqrstuutv/zp5NKZCLkxl6aYMyK0Qv16p7B7f6";
const SCRYPT = {
  algorithm: "scrypt",
  N: 16_384,
  r: 8,
  p: 1,
  salt: "MDEyMzQ1Njc4OWFiY2RlZg==",
  hash: "kt33gqt/MRR8aUkygfSaahFNRob9ydyOUZEbAiv98RccghTmNA/U31JoeZZug0vTAPPx7a8bbZ6fwhkZSbhs5g==",
};
const FIREBASE_CONFIG = `hash_config {
  algorithm: SCRYPT,
  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}`;
const FIREBASE_HASH = {
  algorithm: "firebase-scrypt",
  salt: "42xEC+ixf3L2lw==",
  hash: "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
};

const personOf = (email: string, password = "plum umbrella glacier"): Person => ({ email, name: "Imported", password });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "latchkey-import-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function writeLines(name: string, lines: readonly (object | string)[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  return path;
}

/** Runs `latchkey user import …` as an operator does. */
async function importFile(world: World, args: readonly string[], input = "") {
  const { LATCHKEY_SECRET = "", ISSUER = "", DATA_DIR = "", DATABASE_URL = "" } = world.latchkey.settings;
  const settings = { LATCHKEY_SECRET, ISSUER, DATA_DIR, DATABASE_URL };
  const command = startProcess({ folder: await builtServer(), settings, args: ["user", "import", ...args], input });
  return { exitCode: await command.exited, output: command.output() };
}

describe("on embedded data", () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld({ stores: "embedded" });
  });
  afterAll(() => world.close());

  const startControl = () =>
    startControlServer({
      socketPath: join(world.latchkey.settings.DATA_DIR ?? "", "control.sock"),
      services: world.latchkey,
      logger: { info: () => undefined, error: (fields) => expect.unreachable(JSON.stringify(fields)) },
    });

  test("people come in while the server runs, and sign in to their apps as who they were", async () => {
    const control = await startControl();
    const firebaseConfig = join(folder, "firebase.txt");
    await writeFile(firebaseConfig, FIREBASE_CONFIG);
    const file = await writeLines("people.ndjson", [
      { id: "auth0|5f7c8ec7c33c6c004bbafe82", email: "bcrypt@example.com", emailVerified: true, passwordHash: BCRYPT },
      { id: "0d9a6c1e-5f0f-4a6e-9c39-1f6f3d2f9a11", email: "scrypt@example.com", passwordHash: SCRYPT },
      "",
      { email: "firebase@example.com", name: "Fiona", passwordHash: FIREBASE_HASH },
      { email: alice.email, name: "Somebody Else" },
      { email: "broken@example.com", passwordHash: "plum umbrella glacier" },
    ]);
    const { exitCode, output } = await importFile(world, [file, "--firebase-hash-config", firebaseConfig]);
    await control.close();
    expect(output).toBe(
      [
        "line 5: there is an account with this address; it was left as it is",
        "line 6: passwordHash is of no known text format",
        "Imported: 3. Here already: 1. Refused: 1.\n",
      ].join("\n"),
    );
    expect(exitCode).toBe(1);

    const { shopWeb } = world.apps;
    for (const [person, sub] of [
      [personOf("bcrypt@example.com"), "auth0|5f7c8ec7c33c6c004bbafe82"],
      [personOf("scrypt@example.com"), "0d9a6c1e-5f0f-4a6e-9c39-1f6f3d2f9a11"],
    ] as const) {
      const tokens = await shopWeb.signIn(world.openBrowser(), person, { scope: "openid email" });
      expect(decodeJwt(tokens.accessToken).sub).toBe(sub);
    }
    const { issuer } = world.latchkey;
    const fiona = personOf("firebase@example.com", "user1password");
    expect((await signInAs(world.openBrowser(), fiona, issuer)).heading).toBe("Hello, Fiona");
    expect((await signInAs(world.openBrowser(), alice, issuer)).heading).toBe(`Hello, ${alice.name}`);
  });

  test("people come in from standard input while no server runs, and a second time nobody does", async () => {
    const stopped = await createWorld({ stores: "embedded" });
    onTestFinished(() => stopped.close());
    await stopped.latchkey.stopNode();
    const lines = await readFile(
      await writeLines(
        "many.ndjson",
        Array.from({ length: 250 }, (_, at) => ({ email: `person${at}@example.com`, passwordHash: BCRYPT })),
      ),
      "utf8",
    );
    const tried = await importFile(stopped, ["-", "--dry-run"], lines);
    expect(tried).toEqual({ exitCode: 0, output: "Would import: 250. Here already: 0. Refused: 0.\n" });
    const first = await importFile(stopped, ["-"], lines);
    expect(first).toEqual({ exitCode: 0, output: "Imported: 250. Here already: 0. Refused: 0.\n" });
    const second = await importFile(stopped, ["-"], lines);
    expect(second.exitCode).toBe(0);
    expect(second.output.trimEnd().split("\n").at(-1)).toBe("Imported: 0. Here already: 250. Refused: 0.");
  });
});

test("on a Postgres the ids of clients are nobody's, nor the other way round [RFC 9700 4.15]", async () => {
  const world = await createWorld({ stores: "postgres" });
  try {
    const { latchkey } = world;
    const file = await writeLines("clients.ndjson", [
      { id: "shopWeb", email: "impostor@example.com" },
      { id: "an-imported-id", email: "bcrypt@example.com", passwordHash: BCRYPT },
    ]);
    const { output } = await importFile(world, [file]);
    expect(output).toBe("line 1: id is that of a client\nImported: 1. Here already: 0. Refused: 1.\n");
    const added = latchkey.clients.addClient({ id: "an-imported-id", name: "Impostor", grantTypes: [] });
    await expect(added).rejects.toMatchObject({ code: "CLIENT_INVALID" });
    const page = await signInAs(world.openBrowser(), personOf("bcrypt@example.com"), latchkey.issuer);
    expect(page.heading).toBe("Hello, bcrypt");
  } finally {
    await world.close();
  }
});
