import { Redis } from "ioredis";
import type { TestServer } from "../support/servers.ts";

/** Stops a Redis of the test's own from running (SIGSTOP), as a host does that swaps, and lets it go on. */
export interface HungRedis {
  resume(): void;
}

export async function hangRedis({ url }: Pick<TestServer, "url">): Promise<HungRedis> {
  const redis = new Redis(url);
  const pid = Number(/^process_id:(\d+)/m.exec(await redis.info("server"))?.[1]);
  redis.disconnect();
  process.kill(pid, "SIGSTOP");
  return { resume: () => void process.kill(pid, "SIGCONT") };
}
