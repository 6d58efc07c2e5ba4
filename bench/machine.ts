import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ensureBinary, POSTGRES, REDIS } from "../test/support/binaries.ts";

const run = promisify(execFile);
const MEBIBYTE_BYTES = 1024 * 1024;

/** What the numbers were taken on: without it they mean little. One line each for the machine and the versions. */
export async function describeMachine(): Promise<string> {
  const memoryMebibytes = Math.round(totalmem() / MEBIBYTE_BYTES);
  const machine = [
    cpus()[0]?.model.trim() ?? "unknown processor",
    `${availableParallelism()} cores`,
    `${memoryMebibytes} MiB`,
    `${type()} ${release()}`,
  ];
  const versions = [
    `node ${process.versions.node}`,
    `redis ${await versionOf(await ensureBinary(REDIS))}`,
    `postgres ${await versionOf(await ensureBinary(POSTGRES))}`,
    `oidc-provider ${readPackageVersion("oidc-provider")}`,
    `ioredis ${readPackageVersion("ioredis")}`,
  ];
  return `machine   ${machine.join(", ")}\nversions  ${versions.join(", ")}`;
}

async function versionOf(program: string): Promise<string> {
  const { stdout } = await run(program, ["--version"]);
  return /\d+(?:\.\d+)+/.exec(stdout)?.[0] ?? "unknown";
}

function readPackageVersion(name: string): string {
  const file = join(import.meta.dirname, "../node_modules", name, "package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  return version;
}
