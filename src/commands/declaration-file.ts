import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { listSecretFiles } from "../clients/index.ts";
import type { Invocation } from "./command.ts";

/** Why a declarative file could not be read, in words for the operator. It quotes nothing from the file. */
export class DeclarationFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DeclarationFileError";
  }
}

export type ReadFile = (path: string) => Promise<string>;

/**
 * Reads a declarative file and the secret files that it names, relative to itself, so that the server that applies it
 * needs to see neither. A secret file that cannot be read is left out; `apply` then says so beside all other faults.
 *
 * @throws DeclarationFileError when it cannot be read as YAML.
 */
export async function readDeclarationFile(
  path: string,
  options: { readonly readFile: ReadFile; readonly mode: "apply" | "dryRun" },
): Promise<Invocation> {
  const text = await options.readFile(path).catch(() => {
    throw new DeclarationFileError(`${path} cannot be read.`);
  });
  const document = parseYaml(path, text);
  const secretFiles: Record<string, string> = {};
  for (const name of listSecretFiles(document)) {
    const content = await options.readFile(resolve(dirname(path), name)).catch(() => undefined);
    if (content !== undefined) secretFiles[name] = content;
  }
  return { command: "apply", input: { document: document ?? {}, secretFiles, mode: options.mode } };
}

function parseYaml(path: string, text: string): unknown {
  try {
    return parse(text, { prettyErrors: true });
  } catch (error) {
    const where = /at line \d+, column \d+/.exec(error instanceof Error ? error.message : "")?.[0] ?? "";
    throw new DeclarationFileError(`${path} is not YAML${where === "" ? "" : ` (${where})`}.`);
  }
}
