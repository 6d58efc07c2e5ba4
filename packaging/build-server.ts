/**
 * Builds the server as plain JavaScript: `npm run build`, or with another folder than `dist/server`.
 *
 * A checkout runs its TypeScript as it is. Node keeps what strips the types, some 20 MB, for as long as the process
 * lives; a server that runs for weeks is compiled instead. The folder mirrors the checkout and is complete but for
 * `node_modules`; of `src/` it has what the program reaches. In `src/bundle/` the program lies once more, in a few files
 * with the libraries that it uses: finding and reading 1,500 modules takes most of a second of each start.
 */
import { cp } from "node:fs/promises";
import { join, resolve } from "node:path";
import { rolldown } from "rolldown";
import { compile, ROOT } from "./compile.ts";

/** What stays in `node_modules`: it looks for files beside itself, or few deployments use it. */
const OUTSIDE = [/^argon2$/, /^bcrypt$/, /^@electric-sql\//, /^pg-native$/, /^@opentelemetry\/(?!api$)/];

/** What is there as it runs; of these, all but TypeScript is copied. */
const COPIED = ["LICENSE", "package.json", "bin", "config", "examples", "src", "views"];

/** @returns the folder, in which `bin/latchkey.js` starts. */
export async function buildServer(folder = join(ROOT, "dist/server")): Promise<string> {
  await compile("tsconfig.server.json", folder);
  for (const path of COPIED) {
    const filter = (source: string): boolean => !/\.(ts|md)$/.test(source);
    await cp(join(ROOT, path), join(folder, path), { recursive: true, filter });
  }
  await bundle(join(folder, "src"));
  return folder;
}

async function bundle(source: string): Promise<void> {
  const build = await rolldown({
    input: join(source, "cli.js"),
    platform: "node",
    external: OUTSIDE,
    // The folder may lie outside of the checkout.
    resolve: { modules: ["node_modules", join(ROOT, "node_modules")] },
    // Of libraries it has opinions; what is missing would be missed by the server.
    onLog(_level, { code, message }) {
      if (code === "UNRESOLVED_IMPORT") throw new Error(message);
    },
  });
  try {
    // Names of functions and classes say what they are in logs, and to oidc-provider what a token is.
    await build.write({ dir: join(source, "bundle"), format: "esm", keepNames: true });
  } finally {
    await build.close();
  }
}

if (import.meta.main) await buildServer(process.argv[2] === undefined ? undefined : resolve(process.argv[2]));
