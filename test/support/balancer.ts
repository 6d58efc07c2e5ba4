import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Spreads connections over several servers in turn, as a load balancer in front of several nodes does. */
export interface Balancer {
  readonly port: number;
  /** To be named once they listen. Connections that there are lead to the others, and are dropped. */
  serve(ports: readonly number[]): void;
  close(): Promise<void>;
}

export async function startBalancer(): Promise<Balancer> {
  let [backends, turn]: [readonly number[], number] = [[], 0];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: backends[turn % backends.length] ?? 0, host: "127.0.0.1", noDelay: true });
    turn += 1;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.once("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    serve(ports) {
      backends = ports;
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
