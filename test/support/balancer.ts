import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Spreads connections over several servers in turn, as a load balancer in front of several nodes does. */
export interface Balancer {
  readonly port: number;
  /** To be named once they listen. Connections that there are go on. */
  serve(ports: readonly number[]): void;
  /** From now on these are asked, and no others: connections that there are, which may lead to others, are dropped. */
  serveOnly(ports: readonly number[]): void;
  /** How many connections it has open to the server at this port. */
  connectionCount(port: number): number;
  close(): Promise<void>;
}

export async function startBalancer(): Promise<Balancer> {
  let [backends, turn]: [readonly number[], number] = [[], 0];
  const sockets = new Set<Socket>();
  const open = new Map<number, number>();
  const server = createServer({ noDelay: true }, (near) => {
    const backend = backends[turn % backends.length] ?? 0;
    const far = connect({ port: backend, host: "127.0.0.1", noDelay: true });
    turn += 1;
    open.set(backend, (open.get(backend) ?? 0) + 1);
    far.once("close", () => open.set(backend, (open.get(backend) ?? 0) - 1));
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
    serve: (ports) => void (backends = ports),
    serveOnly(ports) {
      backends = ports;
      for (const socket of sockets) socket.destroy();
    },
    connectionCount: (backend) => open.get(backend) ?? 0,
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
