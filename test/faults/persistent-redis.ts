import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cable, layCable } from "../support/cable.ts";
import { startRedis } from "../support/servers.ts";

/** A Redis of one's own that keeps every acknowledged write (`appendfsync always`), under one address. */
export interface PersistentRedis {
  readonly url: string;
  readonly cable: Cable;
  stop(): Promise<void>;
  /** A new process on the same files. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startPersistentRedis(): Promise<PersistentRedis> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-aof-"));
  const startHere = () => startRedis(["--dir", folder, "--appendonly", "yes", "--appendfsync", "always"]);
  let server = await startHere();
  const cable = await layCable(server.url);

  return {
    url: cable.url,
    cable,
    async stop() {
      await cable.cut();
      await server.stop();
    },
    async start() {
      server = await startHere();
      cable.redirect(server.url);
      await cable.mend();
    },
    async close() {
      await cable.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
