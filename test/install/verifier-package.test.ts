import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { AUDIENCE, BILLING_API, type FakeIssuer, startFakeIssuer } from "../../src/verifier/fake-issuer-fixture.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const BUILD_TIMEOUT_MS = 240_000;

/** Where the package is built, and the empty project that installs it. */
let built: string;
let project: string;
let folder: string;

/** Every entry, as a service in TypeScript uses it; nothing of a framework is installed. */
const TYPESCRIPT = `
import { createVerifier, VerifierError, type VerifiedToken, type Verifier } from "@latchkey/verifier";
import { createResourceMetadata, protect as protectExpress } from "@latchkey/verifier/express";
import { authentication, protect as protectFastify } from "@latchkey/verifier/fastify";
import { authenticate } from "@latchkey/verifier/fetch";
import { type KoaContext, protect as protectKoa, type Protection, tokenOf } from "@latchkey/verifier/koa";

const verifier: Verifier = createVerifier({
  issuer: "https://id.example.com",
  audience: "https://orders.example.com",
  revocations: "feed",
  client: { id: "ordersApi", secret: "secret" },
  onStale: "reject",
});
const protection: Protection = { scope: ["orders:read"], maxAgeSeconds: 300, origin: "https://orders.example.com" };
export const metadata = createResourceMetadata({ resource: "https://orders.example.com", authorizationServers: [] });
export const hooks = [protectExpress(verifier, protection), protectFastify(verifier), protectKoa(verifier), authentication];
export const subOf = (ctx: KoaContext): string => tokenOf(ctx).sub;

export async function answer(request: Request): Promise<Response> {
  const token: VerifiedToken | Response = await authenticate(verifier, request, { scope: "orders:read" });
  return token instanceof Response ? token : Response.json({ sub: token.sub, session: token.sessionId });
}

export function codeOf(error: unknown): string {
  if (!(error instanceof VerifierError)) return "a bug";
  return error.code === "token_revoked" ? "ended" : error.code;
}

// @ts-expect-error a choice that does not exist
createVerifier({ issuer: "https://id.example.com", audience: "a", revocations: "sometimes" });
`;

/** A service in plain JavaScript: it answers each line of its input, which is a token, with a line. */
const JAVASCRIPT = `
import { createInterface } from "node:readline";
import { createVerifier } from "@latchkey/verifier";
import { authenticate } from "@latchkey/verifier/fetch";

const [issuer, audience, id, secret] = process.argv.slice(2);
const verifier = createVerifier({ issuer, audience, revocations: "feed", client: { id, secret } });
await verifier.ready();
console.log(verifier.status().revocations);
verifier.on("revocation", ({ value }) => console.log("heard of", value));
for await (const token of createInterface(process.stdin)) {
  const request = new Request(audience, { headers: { authorization: "Bearer " + token } });
  const outcome = await authenticate(verifier, request, { scope: "orders:read" });
  console.log(outcome instanceof Response ? outcome.status + " " + (await outcome.json()).error_description : outcome.sub);
}
await verifier.close();
`;

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    module: "nodenext",
    target: "es2024",
    // Without the types of Node, and with those of the package looked at: it has to be complete by itself.
    lib: ["es2024", "dom", "dom.iterable"],
    types: [],
    skipLibCheck: false,
    noEmit: true,
  },
  files: ["service.ts"],
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "latchkey-verifier-"));
  [built, project] = [join(folder, "built"), join(folder, "project")];
  await run("npm", ["run", "build:verifier", "--", built], { cwd: ROOT, timeout: BUILD_TIMEOUT_MS });
  await run("npm", ["pack", built, "--pack-destination", folder], { cwd: folder });
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "";
  await mkdir(project);
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "service", private: true, type: "module" }));
  await writeFile(join(project, "tsconfig.json"), JSON.stringify(TSCONFIG));
  await writeFile(join(project, "service.ts"), TYPESCRIPT);
  await writeFile(join(project, "service.js"), JAVASCRIPT);
  const install = ["install", join(folder, tarball), "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await run("npm", install, { cwd: project, timeout: BUILD_TIMEOUT_MS });
}, BUILD_TIMEOUT_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

const manifest = z.object({
  name: z.string(),
  version: z.string(),
  dependencies: z.record(z.string(), z.string()),
  exports: z.record(z.string(), z.union([z.string(), z.object({ types: z.string(), default: z.string() })])),
});

describe("the package", () => {
  test("depends on jose alone, and has the server's version", async () => {
    const read = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8"));
    const { name, version, dependencies } = manifest.parse(await read(join(built, "package.json")));
    const server = z.looseObject({ version: z.string() }).parse(await read(join(ROOT, "package.json")));
    expect([name, version, Object.keys(dependencies)]).toEqual(["@latchkey/verifier", server.version, ["jose"]]);
    const installed = (await readdir(join(project, "node_modules"))).filter((entry) => !entry.startsWith("."));
    expect(installed.toSorted()).toEqual(["@latchkey", "jose"]);
  });

  test("has what its exports name, a README and a license, and neither sources nor tests", async () => {
    const { exports } = manifest.parse(JSON.parse(await readFile(join(built, "package.json"), "utf8")));
    const files = await readdir(built, { recursive: true });
    const named = Object.values(exports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : Object.values(entry),
    );
    expect(files).toEqual(expect.arrayContaining(named.map((path) => path.replace("./", ""))));
    expect(files).toEqual(expect.arrayContaining(["README.md", "LICENSE"]));
    expect(files.filter((file) => /(?<!\.d)\.ts$|\.test\.|fixture/.test(file))).toEqual([]);
  });

  test("names no path of the machine that it was built on, and imports nothing but jose", async () => {
    const files = (await readdir(built, { recursive: true })).filter((file) => /\.(js|ts|json)$/.test(file));
    for (const file of files) {
      const content = await readFile(join(built, file), "utf8");
      expect(content).not.toContain(ROOT);
      const imported = [...content.matchAll(/^(?:import|export)\b[^;]*?from "([^".][^"]*)"/gm)].map(([, name]) => name);
      expect(
        imported.filter((name) => name !== "jose"),
        file,
      ).toEqual([]);
    }
  });
});

test("a service in TypeScript compiles against it, strictly and without types of Node or of a framework", async () => {
  const compiler = join(ROOT, "node_modules/.bin/tsc");
  const output = await run(compiler, ["-p", project]).catch((error: unknown) => error);
  expect(output).toMatchObject({ stdout: "" });
});

describe("a service in plain JavaScript", () => {
  let issuer: FakeIssuer;
  beforeAll(async () => {
    issuer = await startFakeIssuer();
  });
  afterAll(() => issuer.close());

  test("accepts a token, refuses it once it was revoked, and ends when it closes its verifier", async () => {
    const settings = [issuer.issuer, AUDIENCE, BILLING_API.id, BILLING_API.secret];
    const service = execFile(process.execPath, [join(project, "service.js"), ...settings]);
    let [output, exitCode] = ["", undefined as number | null | undefined];
    for (const stream of [service.stdout, service.stderr]) stream?.on("data", (chunk: string) => (output += chunk));
    service.once("exit", (code) => (exitCode = code));
    const lines = (): readonly string[] => output.trim().split("\n");
    const until = async (line: string): Promise<void> => {
      await expect.poll(lines, { timeout: 10_000 }).toContain(line);
    };

    await until("live");
    const token = await issuer.sign({ claims: { jti: "first" } });
    service.stdin?.write(`${token}\n`);
    await until("alice");
    issuer.feed.revoke({ kind: "token", value: "first" });
    await until("heard of first");
    service.stdin?.write(`${token}\nnot-a-token\n`);
    service.stdin?.end();
    await expect.poll(() => exitCode, { timeout: 10_000 }).toBe(0);
    expect(lines().slice(0, 4)).toEqual(["live", "alice", "heard of first", "401 The token was revoked"]);
    expect(lines()).toHaveLength(5);
  });
});
