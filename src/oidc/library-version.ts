import { createRequire } from "node:module";
import { z } from "zod";

/** The version of oidc-provider that is installed. */
export function readLibraryVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)("oidc-provider/package.json");
  return z.object({ version: z.string() }).parse(manifest).version;
}
