import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type Cable, layCable } from "./cable.ts";
import { startRedis, type TestServer } from "./servers.ts";

/** A Redis of one's own that can be lost, and come back with the data of an earlier moment, under one address. */
export interface ReplaceableRedis {
  readonly url: string;
  readonly cable: Cable;
  /** Keeps the data as they are now; returns the file. */
  save(): Promise<string>;
  /** Puts another server in its place: empty, or with the data that were saved. */
  replace(savedFile?: string): Promise<void>;
  close(): Promise<void>;
}

export async function startReplaceableRedis(): Promise<ReplaceableRedis> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-rdb-"));
  let server: TestServer = await startRedis();
  let serial = 0;
  const cable = await layCable(server.url);

  return {
    url: cable.url,
    cable,
    async save() {
      const redis = new Redis(server.url);
      await redis.save();
      const [, directory = ""] = (await redis.config("GET", "dir")) as readonly string[];
      const [, name = ""] = (await redis.config("GET", "dbfilename")) as readonly string[];
      redis.disconnect();
      const file = join(folder, `${(serial += 1)}.rdb`);
      await copyFile(join(directory, name), file);
      return file;
    },
    async replace(savedFile) {
      const name = `${(serial += 1)}-restored.rdb`;
      if (savedFile !== undefined) await copyFile(savedFile, join(folder, name));
      const last = server;
      server = await startRedis(["--dir", folder, "--dbfilename", name]);
      cable.redirect(server.url);
      await last.stop();
    },
    async close() {
      await cable.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
