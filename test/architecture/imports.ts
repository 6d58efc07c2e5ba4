import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { sourceFiles } from "./source-files.ts";

/** What architecture.ts says, in the shape of its exports. */
export interface ImportRules {
  readonly allowedImports: Readonly<Record<string, readonly string[]>>;
  readonly compositionFiles: readonly string[];
  readonly packageOwners: Readonly<Record<string, readonly string[]>>;
}

interface Import {
  /** Path of the importing file from `src/`, with slashes. */
  readonly file: string;
  readonly specifier: string;
}

/** The one file that may look inside oidc-provider. */
const PROVIDER_SEAM = "oidc/internals.ts";
/** The demo serves the examples, and the pages are drawn from the templates and messages of views. */
const OUTSIDE_SOURCES: Readonly<Record<string, string>> = { demo: "../examples/", http: "../views/" };

/**
 * Every import under `sourceFolder` that the rules forbid, one sentence each. Type imports count: a type ties two
 * folders together as a value does. Tests may import what they like.
 */
export function findForbiddenImports(sourceFolder: string, rules: ImportRules): readonly string[] {
  return sourceFiles(sourceFolder)
    .filter((file) => !file.endsWith(".test.ts"))
    .flatMap((file) => readImports(sourceFolder, file))
    .flatMap((found) => {
      const problem = found.specifier.startsWith(".")
        ? problemOfPath(found, { ...rules, sourceFolder })
        : problemOfPackage(found, rules);
      return problem === undefined ? [] : [`${found.file} imports ${found.specifier}: ${problem}`];
    });
}

// Statements begin a line once the formatter has been over them; a line of a comment begins otherwise.
const STATEMENT = /^\s*(?:import|export)\b[^;"'`]*?["']([^"'\n]+)["']/gm;
const EXPRESSION = /\b(?:import|require|import\.meta\.resolve)\(\s*["'`]([^"'`\n]+)["'`]/g;

export function readImports(sourceFolder: string, file: string): readonly Import[] {
  const text = readFileSync(join(sourceFolder, file), "utf8");
  const imports = [...text.matchAll(STATEMENT)].filter(([statement]) => isImport(statement));
  return [...imports, ...text.matchAll(EXPRESSION)].map(([, specifier = ""]) => ({ file, specifier }));
}

/** `export const name = "…"` has a quote as well. */
function isImport(statement: string): boolean {
  return /\bfrom\s*["']/.test(statement) || /^\s*import\s*["']/.test(statement);
}

function problemOfPath(found: Import, rules: ImportRules & { readonly sourceFolder: string }): string | undefined {
  const target = relative(
    rules.sourceFolder,
    resolve(rules.sourceFolder, dirname(found.file), found.specifier),
  ).replaceAll(sep, "/");
  const [from, to] = [folderOf(found.file), folderOf(target)];
  if (target.startsWith("../")) {
    const allowed = from === undefined ? undefined : OUTSIDE_SOURCES[from];
    return allowed !== undefined && target.startsWith(allowed) ? undefined : "it is outside src";
  }
  if (from === to && from !== undefined) return undefined;
  if (to === undefined)
    return from === undefined ? undefined : "the files at the top are for starting, not for importing";
  if (target !== `${to}/index.ts`) return `${to} is entered through its index.ts`;
  if (from === undefined) {
    return rules.compositionFiles.includes(found.file) ? undefined : "only the composition files import every folder";
  }
  return rules.allowedImports[from]?.includes(to) ? undefined : `${from} may not import ${to}`;
}

function problemOfPackage(found: Import, { packageOwners }: ImportRules): string | undefined {
  if (found.specifier.startsWith("node:")) return undefined;
  if (builtinModules.includes(found.specifier)) return "modules of Node are written with node:";
  const name = packageNameOf(found.specifier);
  if (name === "oidc-provider" && found.specifier !== name && found.file !== PROVIDER_SEAM) {
    return `only ${PROVIDER_SEAM} looks inside oidc-provider`;
  }
  const owners = packageOwners[name];
  const folder = folderOf(found.file);
  if (owners === undefined || (folder !== undefined && owners.includes(folder))) return undefined;
  return `${name} belongs to ${owners.join(", ")}`;
}

function packageNameOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** The capability folder of a path from `src/`; absent for the files at the top. */
function folderOf(path: string): string | undefined {
  return path.includes("/") ? path.split("/")[0] : undefined;
}
