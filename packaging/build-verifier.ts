/**
 * Builds the package `@latchkey/verifier`: `npm run build:verifier`, or with another folder than `dist/verifier`.
 *
 * Node does not run TypeScript inside `node_modules`, so that what others install is compiled, with its types beside it.
 * Its package.json is written here, so that version and dependency are ours.
 */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { compile, ROOT } from "./compile.ts";

const ADAPTERS = ["koa", "express", "fastify", "fetch"] as const;

const rootPackage = z.object({
  version: z.string(),
  license: z.string(),
  dependencies: z.looseObject({ jose: z.string() }),
});

function entry(path: string) {
  return { types: `./${path}.d.ts`, default: `./${path}.js` };
}

async function writePackageJson(folder: string): Promise<void> {
  const { version, license, dependencies } = rootPackage.parse(
    JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")),
  );
  const description = {
    name: "@latchkey/verifier",
    version,
    description: "Checks Latchkey's access tokens in a service: locally, and refused at once when access has ended",
    license,
    keywords: ["oauth2", "jwt", "access-token", "revocation", "dpop", "koa", "express", "fastify", "hono"],
    type: "module",
    sideEffects: false,
    engines: { node: ">=22" },
    exports: {
      ".": entry("index"),
      ...Object.fromEntries(ADAPTERS.map((name) => [`./${name}`, entry(`adapters/${name}`)])),
      "./package.json": "./package.json",
    },
    // A range: a service that uses jose itself should not get it twice.
    dependencies: { jose: `^${dependencies.jose}` },
    publishConfig: { access: "public" },
  };
  await writeFile(join(folder, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
}

async function build(folder: string): Promise<void> {
  await compile("tsconfig.verifier.json", folder);
  await writePackageJson(folder);
  await cp(join(ROOT, "src/verifier/README.md"), join(folder, "README.md"));
  await cp(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
}

await build(resolve(process.argv[2] ?? join(ROOT, "dist/verifier")));
