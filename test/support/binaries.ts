import { execFile } from "node:child_process";
import { accessSync, constants, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 5 * 60_000;
const POSTGRES_ROOT = "/usr/lib/postgresql";

/** A program that the tests run, and the Debian package that brings it. */
export interface Binary {
  readonly name: string;
  readonly debianPackage: string;
}

export const REDIS: Binary = { name: "redis-server", debianPackage: "redis-server" };
export const INITDB: Binary = { name: "initdb", debianPackage: "postgresql" };
export const POSTGRES: Binary = { name: "postgres", debianPackage: "postgresql" };
/** The engine without windows, tabs and their errands: a test costs a third less than in the whole of Chromium. */
const CHROMIUM_ENGINE: Binary = { name: "chromium-headless-shell", debianPackage: "chromium-headless-shell" };
const CHROMIUM: Binary = { name: "chromium", debianPackage: "chromium" };

/**
 * The path of a program, installed from Debian's packages when this machine lacks it and lets us.
 *
 * A missing program is never a reason to skip: a green run that tested nothing is worse than a red one.
 *
 * @throws Error with one sentence that says what to install.
 */
export async function ensureBinary(binary: Binary): Promise<string> {
  const found = findBinary(binary.name);
  if (found !== undefined) return found;
  await installPackage(binary).catch((cause: unknown) => {
    throw new Error(`The tests need ${binary.name}: install the package ${binary.debianPackage}.`, { cause });
  });
  const installed = findBinary(binary.name);
  if (installed === undefined) {
    throw new Error(`The package ${binary.debianPackage} is installed, and ${binary.name} is still not to be found.`);
  }
  return installed;
}

/**
 * Chromium's engine; the whole of Chromium where that is all there is.
 *
 * @throws Error with one sentence that says what to install.
 */
export async function ensureChromium(): Promise<string> {
  try {
    return await ensureBinary(CHROMIUM_ENGINE);
  } catch {
    return ensureBinary(CHROMIUM);
  }
}

function findBinary(name: string): string | undefined {
  const onPath = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...onPath, ...postgresFolders()].map((folder) => join(folder, name)).find(isExecutable);
}

/** Debian keeps Postgres's programs off the PATH, one folder per version; the newest comes first. */
function postgresFolders(): string[] {
  try {
    return readdirSync(POSTGRES_ROOT)
      .toSorted((left, right) => Number(right) - Number(left))
      .map((version) => join(POSTGRES_ROOT, version, "bin"));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function installPackage({ debianPackage }: Binary): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  const apt = async (...args: string[]): Promise<void> => {
    const command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
    // `sudo -n` fails at once where a password would be asked for.
    const [file = "", ...rest] = isRoot ? command : ["sudo", "-n", ...command];
    await run(file, rest, { timeout: INSTALL_TIMEOUT_MS });
  };
  await apt("update");
  await apt("install", "--yes", "--no-install-recommends", debianPackage);
}
