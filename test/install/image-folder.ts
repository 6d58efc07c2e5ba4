import { execFile } from "node:child_process";
import { cp, mkdir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const STEP_TIMEOUT_MS = 240_000;

/** A stage of a Dockerfile, with a folder for its root. */
interface Stage {
  readonly root: string;
  workdir: string;
}

/** Does what the Dockerfile says, stage by stage, without a container engine; returns the last stage's working folder. */
export async function buildImageFolder(folder: string): Promise<string> {
  const admitted = await admittedByDockerignore();
  const stages = new Map<string, Stage>();
  let stage: Stage = { root: folder, workdir: "/" };
  for (const [instruction, text] of instructionsOf(await readFile(join(ROOT, "Dockerfile"), "utf8"))) {
    if (instruction === "FROM") {
      const [, name = "image"] = / AS (\S+)$/.exec(text) ?? [];
      stages.set(name, (stage = { root: join(folder, name), workdir: "/" }));
    }
    if (instruction === "WORKDIR") {
      stage.workdir = text;
      await mkdir(within(stage, "."), { recursive: true });
    }
    if (instruction === "COPY") await copy(text, { stage, stages, admitted });
    if (instruction === "RUN") await runNpm(text, within(stage, "."));
  }
  return within(stage, ".");
}

function instructionsOf(dockerfile: string): readonly (readonly [string, string])[] {
  const lines = dockerfile.replaceAll(/\\\n\s*/g, "").matchAll(/^([A-Z]+) (.+)$/gm);
  return [...lines].map(([, instruction = "", text = ""]) => [instruction, text]);
}

function within({ root, workdir }: Stage, path: string): string {
  return join(root, resolve(workdir, path));
}

/** What `.dockerignore` lets in by name: it shuts out everything else, and of these the tests. */
async function admittedByDockerignore(): Promise<ReadonlySet<string>> {
  const lines = (await readFile(join(ROOT, ".dockerignore"), "utf8")).split("\n");
  if (!lines.includes("*") || !lines.includes("**/*.test.ts")) throw new Error(".dockerignore is not what we read");
  return new Set(lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1)));
}

interface CopyContext {
  readonly stage: Stage;
  readonly stages: ReadonlyMap<string, Stage>;
  readonly admitted: ReadonlySet<string>;
}

async function copy(text: string, { stage, stages, admitted }: CopyContext): Promise<void> {
  const [, name, paths = ""] = /^(?:--from=(\S+) )?(.+)$/.exec(text) ?? [];
  const [target = "", ...sources] = paths.split(" ").toReversed();
  for (const path of sources) {
    const from = name === undefined ? undefined : stages.get(name);
    if (from === undefined && !admitted.has(path)) throw new Error(`.dockerignore does not let ${path} in`);
    const source = from === undefined ? join(ROOT, path) : within(from, path);
    // Of a folder its content is copied, as COPY does.
    const isFolder = (await stat(source)).isDirectory();
    const destination = within(stage, isFolder ? target : join(target, basename(path)));
    const filter = (file: string): boolean => from !== undefined || !file.endsWith(".test.ts");
    await cp(source, destination, { recursive: true, verbatimSymlinks: true, filter });
  }
}

/** The first command alone, if it is npm's: the others need a machine of their own. */
async function runNpm(text: string, folder: string): Promise<void> {
  const [command = ""] = text.split(" && ");
  if (command.startsWith("npm ")) await run("/bin/sh", ["-c", command], { cwd: folder, timeout: STEP_TIMEOUT_MS });
}
