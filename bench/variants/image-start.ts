import { readFileSync } from "node:fs";
import { join } from "node:path";

/** How a Node process is started, apart from its script. */
export interface NodeStart {
  /** Flags of Node. */
  readonly flags: readonly string[];
  /** Added to the environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** The library that allocates in place of glibc, and its settings. Debian's Redis needs that library, too. */
const ALLOCATOR = new Set(["LD_PRELOAD", "MALLOC_CONF"]);
const DOCKERFILE = join(import.meta.dirname, "../../Dockerfile");

/** The start that the image gives the server, so that what is measured is what operators run. */
export function imageStart(): NodeStart {
  return parseImageStart(readFileSync(DOCKERFILE, "utf8"));
}

/** Node's flags of the `ENTRYPOINT`, and of all `ENV` the settings of the allocator. */
export function parseImageStart(dockerfile: string): NodeStart {
  const entrypoint = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1];
  if (entrypoint === undefined) throw new Error("the Dockerfile has no ENTRYPOINT in a line of JSON");
  const [program, ...rest] = JSON.parse(entrypoint) as readonly string[];
  if (program !== "node") throw new Error(`the image starts ${program}, not node`);
  const settings = [...dockerfile.matchAll(/^ENV (.+)$/gm)]
    .flatMap(([, assignments = ""]) => assignments.split(/\s+/))
    .map((assignment) => assignment.split("="))
    .map(([name = "", value = ""]): [string, string] => [name, value]);
  return {
    flags: rest.filter((argument) => argument.startsWith("--")),
    env: Object.fromEntries(settings.filter(([name]) => ALLOCATOR.has(name))),
  };
}
