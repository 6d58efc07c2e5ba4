import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { freePort } from "../../test/support/servers.ts";
import { accountIdOf, personAt } from "../cast.ts";
import { median, type Row } from "../report.ts";
import { startStores } from "../stores.ts";
import { imageStart } from "../variants/image-start.ts";
import { PROGRAMS } from "../variants/programs.ts";
import { startServerProcess } from "../variants/server-process.ts";
import { readUsage } from "../variants/usage.ts";

const SAMPLE_MS = 50;
const MEBIBYTE = 1024 * 1024;
/** Of the samples, at the beginning and at the end: what grows with the file would grow between them. */
const PART = 0.2;
const HASH = "$2b$10$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q";

export interface ImportOptions {
  readonly importCount: number;
  readonly progress: (line: string) => void;
}

interface Target {
  readonly settings: Readonly<Record<string, string>>;
  /** Of the server that does the work; that of the command itself when absent. */
  readonly residentBytes?: () => Promise<number>;
}

/** How fast people are imported, and what that takes of memory where it is done: by the command itself, or by the server. */
export async function runImportScenario({ importCount, progress }: ImportOptions): Promise<readonly Row[]> {
  progress(`import: ${importCount} people into a Postgres`);
  const intoPostgres = await onPostgres((target) => measureImport(target, importCount));
  progress(`import: ${importCount} people through a server on embedded data`);
  const throughServer = await onEmbeddedServer((target) => measureImport(target, importCount));
  return [...rowsOf("into_postgres", intoPostgres), ...rowsOf("through_server", throughServer)];
}

interface Figures {
  readonly seconds: number;
  readonly personCount: number;
  readonly residentBytes: readonly number[];
}

async function measureImport({ settings, residentBytes }: Target, personCount: number): Promise<Figures> {
  const start = imageStart();
  const child = spawn(process.execPath, [...start.flags, PROGRAMS.latchkey, "user", "import", "-"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], ...settings, ...start.env },
  });
  const exit = once(child, "exit");
  const { pid = 0, stdin, stdout } = child;
  let output = "";
  stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const samples: number[] = [];
  const read = residentBytes ?? (async () => (await readUsage(pid)).residentBytes);
  const sampling = setInterval(
    () =>
      void read().then(
        (bytes) => samples.push(bytes),
        () => undefined,
      ),
    SAMPLE_MS,
  );
  const startedAtMs = performance.now();
  try {
    await pipeline(Readable.from(listLines(personCount)), stdin);
    await exit;
  } finally {
    clearInterval(sampling);
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  if (!output.startsWith(`Imported: ${personCount}. `)) throw new Error(`not everybody was imported: ${output}`);
  return { seconds, personCount, residentBytes: samples };
}

function* listLines(personCount: number): Generator<string> {
  for (let index = 0; index < personCount; index += 1) {
    const { email, name } = personAt(index);
    const id = `auth0|${accountIdOf(email)}`;
    yield `${JSON.stringify({ id, email, name, emailVerified: true, passwordHash: HASH })}\n`;
  }
}

function rowsOf(variant: string, { seconds, personCount, residentBytes }: Figures): readonly Row[] {
  const row = { scenario: "import", variant };
  const part = Math.max(1, Math.floor(residentBytes.length * PART));
  // Behind what every start takes: the first part is that of a program that has begun to work.
  const early = residentBytes.slice(part, 2 * part);
  return [
    { ...row, metric: "people_per_second", value: personCount / seconds, unit: "1/s" },
    { ...row, metric: "resident_mib_early", value: median(early) / MEBIBYTE, unit: "MiB" },
    { ...row, metric: "resident_mib_late", value: median(residentBytes.slice(-part)) / MEBIBYTE, unit: "MiB" },
    { ...row, metric: "resident_mib_max", value: Math.max(...residentBytes) / MEBIBYTE, unit: "MiB" },
  ];
}

async function onPostgres(work: (target: Target) => Promise<Figures>): Promise<Figures> {
  const stores = await startStores();
  try {
    const issuer = "http://127.0.0.1:3000";
    const LATCHKEY_SECRET = "of a benchmark: 0123456789 abcdefghijklm";
    return await work({
      settings: { ISSUER: issuer, DATABASE_URL: stores.postgresUrl, LATCHKEY_SECRET, MIGRATIONS: "apply" },
    });
  } finally {
    await stores.stop();
  }
}

async function onEmbeddedServer(work: (target: Target) => Promise<Figures>): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const port = await freePort();
  const settings = { DATA_DIR: join(folder, "data"), PORT: String(port), DEMO: "off" };
  try {
    const server = await startServerProcess({
      script: PROGRAMS.latchkey,
      args: ["serve"],
      settings,
      start: imageStart(),
      readyUrl: `http://127.0.0.1:${port}/health/ready`,
    });
    try {
      return await work({ settings, residentBytes: async () => (await server.usage()).residentBytes });
    } finally {
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
