import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * A wire to a store that can be cut and mended, so that one server loses a store that the others of the run share.
 *
 * Cut, it refuses connections and drops those that there are, as a store does that was killed. Stalled, it takes
 * everything and passes on nothing, as a store does that was stopped (SIGSTOP) or whose host is gone.
 */
export interface Cable {
  /** The store's URL, by way of this cable. */
  readonly url: string;
  cut(): Promise<void>;
  stall(): void;
  mend(): Promise<void>;
  /** Leads to another store from now on, as an address does whose host was replaced; what there was is dropped. */
  redirect(storeUrl: string): void;
  close(): Promise<void>;
}

export async function layCable(storeUrl: string): Promise<Cable> {
  let target = new URL(storeUrl);
  const ends = new Set<Socket>();
  let isStalled = false;

  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(from);
      from.pipe(to);
      if (isStalled) from.pause();
      from.on("error", () => undefined);
      from.once("close", () => {
        ends.delete(from);
        to.destroy();
      });
    }
  });

  const listen = async (port: number): Promise<void> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  const drop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const end of ends) end.destroy();
    await closed;
  };

  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = new URL(storeUrl);
  url.port = String(port);
  return {
    url: url.href,
    cut: drop,
    stall() {
      isStalled = true;
      for (const end of ends) end.unpipe().pause();
    },
    async mend() {
      // What waited on a stalled wire is lost with it: a store's clients have given up on it long since.
      if (isStalled) for (const end of ends) end.destroy();
      isStalled = false;
      if (!server.listening) await listen(port);
    },
    redirect(otherUrl) {
      target = new URL(otherUrl);
      for (const end of ends) end.destroy();
    },
    close: drop,
  };
}
