import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** A wire to a store whose answers take their time, as those of a store do that is far away or overloaded. */
export interface SlowCable {
  readonly url: string;
  /** By how much each answer comes later from now on. */
  delayAnswers(ms: number): void;
  /** The connections that there are lead nowhere from now on, as to a host that vanished; new ones are as before. */
  abandon(): void;
  close(): Promise<void>;
}

export async function laySlowCable(storeUrl: string): Promise<SlowCable> {
  const target = new URL(storeUrl);
  const ends = new Set<Socket>();
  const abandoned = new Set<Socket>();
  let delayMs = 0;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    near.on("data", (piece) => void (ends.has(near) && far.write(piece)));
    async function deliver(piece: Buffer, before: Promise<void>): Promise<void> {
      const dueMs = performance.now() + delayMs;
      await before;
      await delay(Math.max(0, dueMs - performance.now()));
      if (ends.has(near) && near.writable) near.write(piece);
    }
    // In the order in which they were sent, also where a later one has less of a delay.
    let arrived = Promise.resolve();
    far.on("data", (piece: Buffer) => {
      arrived = deliver(piece, arrived);
    });
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(end);
      end.on("error", () => undefined);
      end.once("close", () => {
        ends.delete(end);
        abandoned.delete(end);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(storeUrl);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    delayAnswers: (ms) => void (delayMs = ms),
    abandon() {
      for (const end of ends) abandoned.add(end);
      ends.clear();
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const end of [...ends, ...abandoned]) end.destroy();
      await closed;
    },
  };
}
