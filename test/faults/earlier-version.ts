import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const INSTALL_TIMEOUT_MS = 240_000;

/** A version of ours that is upgraded from. To be raised with each release, to the one before. */
export interface EarlierVersion {
  readonly commit: string;
  /** Whether it starts on a newer database that lets it, so that one can go back to it. */
  readonly canComeBack: boolean;
}

/** The last one before servers said in the database that they run: it knows nothing of what the newer ones write there. */
export const OLDEST: EarlierVersion = { commit: "9e76a8c4e9ba25c13a46a4fcedf1cc7f64a92aad", canComeBack: false };

/** The last one whose feed counted a client's connections by itself. */
export const LATEST: EarlierVersion = { commit: "ac2dedf23fb86558094dbde1b452cb8e65037fa9", canComeBack: true };

export interface InstalledVersion {
  readonly folder: string;
  remove(): Promise<void>;
}

/**
 * Its files out of git, and its own packages: what an operator of that version runs.
 *
 * @throws Error when this clone does not have it.
 */
export async function installEarlier({ commit }: EarlierVersion): Promise<InstalledVersion> {
  // A clone of the last commits alone gets the others from where it came, if that is within reach.
  if (!(await isHere(commit)))
    await run("git", ["fetch", "--quiet", "--unshallow"], { cwd: ROOT }).catch(() => undefined);
  if (!(await isHere(commit))) {
    throw new Error(
      `This clone does not have the commit ${commit}, which the test upgrades from. Fetch it: git fetch --unshallow`,
    );
  }
  const folder = await mkdtemp(join(tmpdir(), "latchkey-earlier-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const archive = join(folder, "earlier.tar");
    await run("git", ["archive", "--output", archive, commit], { cwd: ROOT });
    await run("tar", ["-xf", archive], { cwd: folder });
    // It runs on the Node of this one, so that nothing has to be built or fetched beside what npm has already.
    const options = ["--omit=dev", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
    await run("npm", ["ci", ...options], { cwd: folder, timeout: INSTALL_TIMEOUT_MS });
    return { folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function isHere(commit: string): Promise<boolean> {
  return run("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: ROOT }).then(
    () => true,
    () => false,
  );
}
