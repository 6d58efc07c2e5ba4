import type { Redis } from "ioredis";

const PULSE_EVERY_MS = 1_000;
/** In a row. One may be a Redis that was busy for a second. */
const MISSED_MAX = 2;

/**
 * Gives up a connection over which nothing comes any more, so that a new one is made. A host that vanished closes nothing:
 * the system would go on sending to it for a quarter of an hour, while another one has taken its address.
 */
export function keepPulse(redis: Redis): void {
  let missed = 0;

  async function feel(): Promise<void> {
    if (redis.status !== "ready") return;
    const felt: unknown = Reflect.get(redis, "stream");
    try {
      // Of the commands that are let through before Redis has been checked (redis-guard.ts) the cheapest.
      await redis.client("ID");
      missed = 0;
    } catch (error) {
      const isSilence = error instanceof Error && error.message === "Command timed out";
      missed = isSilence ? missed + 1 : 0;
      if (missed < MISSED_MAX) return;
      missed = 0;
      if (felt === Reflect.get(redis, "stream") && isDestroyable(felt)) {
        felt.destroy(new Error("redis has not answered for some seconds"));
      }
    }
  }

  const pulse = setInterval(() => void feel(), PULSE_EVERY_MS).unref();
  redis.once("end", () => clearInterval(pulse));
}

function isDestroyable(stream: unknown): stream is { destroy(reason: Error): void } {
  return typeof stream === "object" && stream !== null && "destroy" in stream;
}
