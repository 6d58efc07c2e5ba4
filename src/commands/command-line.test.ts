import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parseCommandLine } from "./command-line.ts";
import type { Terminal } from "./terminal.ts";

interface Typed {
  readonly files?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly secrets?: readonly string[];
}

function createFakeTerminal({ files = {}, input = "", secrets }: Typed) {
  const written = { out: "", error: "" };
  const answers = [...(secrets ?? [])];
  const terminal: Terminal = {
    writeOut: (text) => void (written.out += text),
    writeError: (text) => void (written.error += text),
    isInteractive: secrets !== undefined,
    readInput: async () => input,
    askSecret: async () => answers.shift() ?? "",
    streamFile: () => {
      throw new Error("the command line does not read what it imports");
    },
    readFile: async (path) => {
      const content = files[path];
      if (content === undefined) throw new Error("ENOENT");
      return content;
    },
  };
  return { terminal, written };
}

async function type(argv: readonly string[], typed: Typed = {}) {
  const { terminal, written } = createFakeTerminal(typed);
  return { request: await parseCommandLine(argv, terminal), ...written };
}

const asCommand = (command: string, input: unknown, format = "text") => ({
  kind: "command",
  invocation: { command, input },
  format,
});

describe("client add", () => {
  test("leaves what was not typed to the defaults of clients", async () => {
    const { request } = await type([
      "client",
      "add",
      "shopWeb",
      "--name",
      "Shop",
      "--redirect-uri",
      "https://a.example/",
    ]);
    const input = { id: "shopWeb", name: "Shop", redirectUris: ["https://a.example/"], requirePkce: true };
    expect(request).toEqual(asCommand("client add", input));
  });

  test("reads every option", async () => {
    const argv = `client add billingApi --name Billing --auth-method private_key_jwt --jwks keys.json --no-pkce
      --grant-type client_credentials --resource https://api.example.com=a,b --resource urn:c
      --default-resource urn:c --first-party --require-par --dpop --refresh-idle-seconds 3600 --refresh-max-seconds 86400 --json`;
    const { request } = await type(argv.split(/\s+/), { files: { "keys.json": '{"keys":[]}' } });
    const input = {
      id: "billingApi",
      name: "Billing",
      authMethod: "private_key_jwt",
      jwks: { keys: [] },
      requirePkce: false,
      grantTypes: ["client_credentials"],
      resources: [{ identifier: "https://api.example.com", scopes: ["a", "b"] }, { identifier: "urn:c" }],
      defaultResource: "urn:c",
      isFirstParty: true,
      requirePushedAuthorizationRequests: true,
      dpopBoundAccessTokens: true,
      refreshIdleSeconds: 3600,
      refreshMaxSeconds: 86400,
    };
    expect(request).toEqual(asCommand("client add", input, "json"));
  });
});

describe("user add", () => {
  const argv = ["user", "add", "alice@example.com", "--name", "Alice"];
  const withPassword = (password: string) =>
    asCommand("user add", { email: "alice@example.com", name: "Alice", password, locale: undefined });

  test("reads the password from standard input, without the line end and with every other space", async () => {
    const { request } = await type([...argv, "--password-stdin"], { input: " correct horse \n" });
    expect(request).toEqual(withPassword(" correct horse "));
  });

  test("asks for the password twice where a person sits", async () => {
    const { request } = await type(argv, { secrets: ["correct horse", "correct horse"] });
    expect(request).toEqual(withPassword("correct horse"));
  });

  test("refuses two passwords that differ", async () => {
    const { request, error } = await type(argv, { secrets: ["correct horse", "correct hose"] });
    expect(request).toEqual({ kind: "finished", exitCode: 2 });
    expect(error).toBe("The two passwords differ.\n");
  });

  test("takes no password as an argument [ASVS 14.2.1]", async () => {
    const { request } = await type([...argv, "--password", "correct horse"]);
    expect(request).toEqual({ kind: "finished", exitCode: 2 });
  });
});

describe("apply", () => {
  test("sends the file and the secret files that it names, found beside it", async () => {
    const files = {
      "/etc/latchkey/clients.yaml": "clients: [{ id: billingApi, secretFile: billing }, { id: b, secretFile: gone }]",
      "/etc/latchkey/billing": "a secret",
    };
    const { request } = await type(["apply", "/etc/latchkey/clients.yaml", "--dry-run"], { files });
    const document = {
      clients: [
        { id: "billingApi", secretFile: "billing" },
        { id: "b", secretFile: "gone" },
      ],
    };
    expect(request).toEqual(asCommand("apply", { document, secretFiles: { billing: "a secret" }, mode: "dryRun" }));
  });

  test("says where a file is no YAML, without quoting it", async () => {
    const { request, error } = await type(["apply", "a.yaml"], { files: { "a.yaml": "clients:\n  - {hunter2" } });
    expect(request).toEqual({ kind: "finished", exitCode: 1 });
    expect(error).toMatch(/^a\.yaml is not YAML \(at line \d+, column \d+\)\.\n$/);
  });

  test("says that a file cannot be read", async () => {
    expect(await type(["apply", "a.yaml"])).toMatchObject({ error: "a.yaml cannot be read.\n" });
  });
});

test.each([
  ["client list --json", asCommand("client list", {}, "json")],
  ["client show shopWeb", asCommand("client show", { id: "shopWeb" })],
  ["client remove shopWeb", asCommand("client remove", { id: "shopWeb" })],
  ["client rotate-secret a --keep-old-for 60", asCommand("client rotate-secret", { id: "a", keepOldForSeconds: 60 })],
  ["client rotate-secret a", asCommand("client rotate-secret", { id: "a", keepOldForSeconds: 0 })],
  ["client rotate-secret a --revoke", asCommand("client rotate-secret", { id: "a", revoke: true })],
  ["session list alice@example.com", asCommand("session list", { idOrEmail: "alice@example.com" })],
  ["session end abc s1 --json", asCommand("session end", { idOrEmail: "abc", sessionId: "s1" }, "json")],
  ["session end abc --all", asCommand("session end", { idOrEmail: "abc" })],
  ["revoke --account abc", asCommand("revoke", { of: "account", idOrEmail: "abc" })],
  ["revoke --client shopWeb", asCommand("revoke", { of: "client", id: "shopWeb" })],
  ["revoke --token abc", asCommand("revoke", { of: "token", token: "abc" })],
  ["revoke --all", asCommand("revoke", { of: "everybody" })],
  ["resource list", asCommand("resource list", {})],
  ["resource remove urn:a", asCommand("resource remove", { identifier: "urn:a" })],
  ["user list --limit 5 --after x", asCommand("user list", { limit: 5, after: "x" })],
  ["user disable alice@example.com", asCommand("user disable", { idOrEmail: "alice@example.com" })],
  ["user reset-factors alice@example.com", asCommand("user reset-factors", { idOrEmail: "alice@example.com" })],
  ["user unlock alice@example.com", asCommand("user unlock", { idOrEmail: "alice@example.com" })],
  ["user enable abc --json", asCommand("user enable", { idOrEmail: "abc" }, "json")],
  ["migrate --json", asCommand("migrate", {}, "json")],
  ["config check --json", { kind: "check-config", format: "json" }],
  ["serve", { kind: "serve", applyFile: undefined, workers: 1 }],
  ["serve --apply a.yaml --workers 4", { kind: "serve", applyFile: "a.yaml", workers: 4 }],
])("%s is understood", async (line, expected) => {
  expect((await type(line.split(" "))).request).toEqual(expected);
});

test("a token to revoke is read from standard input, where no shell's history keeps it", async () => {
  const { request } = await type(["revoke", "--token"], { input: "abc\n" });
  expect(request).toEqual(asCommand("revoke", { of: "token", token: "abc" }));
});

test("a scope's description may hold equals signs", async () => {
  const { request } = await type([
    "resource",
    "add",
    "urn:a",
    "--name",
    "A",
    "--scope",
    "read=See a=b",
    "--seconds",
    "60",
  ]);
  expect(request).toMatchObject({
    invocation: { input: { scopes: [{ name: "read", description: "See a=b" }], accessTokenSeconds: 60 } },
  });
});

test.each([
  [""],
  ["client"],
  ["clint list"],
  ["client add shopWeb"],
  ["client list extra"],
  ["user list --limit x"],
  ["session end abc"],
  ["session end abc s1 --all"],
  ["revoke"],
  ["revoke --all --client a"],
  ["client rotate-secret a --revoke --keep-old-for 60"],
  ["--nope"],
])("%j is wrong usage: it ends with 2 and prints nothing on standard output", async (line) => {
  const { request, out, error } = await type(line.split(" ").filter((word) => word !== ""));
  expect(request).toEqual({ kind: "finished", exitCode: 2 });
  expect(out).toBe("");
  expect(error).not.toBe("");
});

test.each([["--help"], ["client --help"], ["help client"], ["user add --help"]])("%s ends with 0", async (line) => {
  const { request, out } = await type(line.split(" "));
  expect(request).toEqual({ kind: "finished", exitCode: 0 });
  expect(out).toContain("Usage: latchkey");
});

describe("keys", () => {
  test("rotate takes algorithms, and an emergency as such", async () => {
    const { request } = await type(["keys", "rotate", "--algorithm", "ES256", "--algorithm", "RS256"]);
    expect(request).toEqual(asCommand("keys rotate", { algorithms: ["ES256", "RS256"] }));
    const emergency = await type(["keys", "rotate", "--emergency", "--json"]);
    const input = { algorithms: undefined, emergency: true, nextToo: false };
    expect(emergency.request).toEqual(asCommand("keys rotate", input, "json"));
  });

  test("what only an emergency does needs that it is one", async () => {
    const { request, error } = await type(["keys", "rotate", "--next-too"]);
    expect(request).toEqual({ kind: "finished", exitCode: 2 });
    expect(error).toContain("--emergency");
  });
});

describe("embedded data as a whole", () => {
  test("a file is named from where the command was typed, because the server stands elsewhere", async () => {
    const { request } = await type(["backup", "monday", "--force"]);
    expect(request).toEqual(asCommand("backup", { path: resolve("monday"), overwrite: true }));
    const restore = { kind: "restore", order: { file: resolve("monday"), keepSessions: false }, format: "json" };
    expect((await type(["restore", "monday", "--json"])).request).toEqual(restore);
  });

  test("where to move to can come from a file, so that its password is on no command line", async () => {
    const url = "postgres://latchkey:secret@db.internal:5432/latchkey";
    const { request } = await type(["move", "--to-file", "url"], { files: { url: `${url}\n` } });
    expect(request).toEqual({ kind: "move", order: { url }, format: "text" });
  });

  test.each([
    [["move"], "either --to or --to-file"],
    [["move", "--to", "postgres://db/x", "--to-file", "url"], "either --to or --to-file"],
    [["move", "--to-file", "absent"], "absent cannot be read"],
    [["move", "--to", "mysql://root:secret@db/x"], "no URL of a Postgres"],
  ])("%j is wrong usage, and quotes no password", async (argv, sentence) => {
    const { request, error } = await type(argv);
    expect(request).toEqual({ kind: "finished", exitCode: 2 });
    expect(error).toContain(sentence);
    expect(error).not.toContain("secret@");
  });
});
