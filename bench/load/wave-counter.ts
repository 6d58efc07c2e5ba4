import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy before a store that counts how often its user had to wait for it. */
export interface WaveCounter {
  /** The store's address, through the proxy. */
  readonly url: string;
  /** Round trips since the last call: what is sent together, on however many connections, is one. */
  takeCount(): number;
  close(): Promise<void>;
}

/** @param storeUrl where the store really is; everything of it but host and port is kept. */
export async function startWaveCounter(storeUrl: string): Promise<WaveCounter> {
  const target = new URL(storeUrl);
  const sockets = new Set<Socket>();
  let count = 0;
  let hasAnswered = true;

  const server = createServer({ noDelay: true }, (inbound) => {
    const outbound = connect({ host: target.hostname, port: Number(target.port), noDelay: true });
    for (const socket of [inbound, outbound]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      // Either end may break off when a server under test stops; the other end follows.
      socket.on("error", () => socket.destroy());
    }
    inbound.on("data", () => {
      if (hasAnswered) count += 1;
      hasAnswered = false;
    });
    outbound.on("data", () => (hasAnswered = true));
    inbound.pipe(outbound).pipe(inbound);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP proxy has no port");

  const url = new URL(storeUrl);
  url.host = `127.0.0.1:${address.port}`;
  return {
    url: url.href,
    takeCount() {
      const taken = count;
      count = 0;
      return taken;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
