import { randomBytes } from "node:crypto";
import { freePort } from "../../test/support/servers.ts";
import { startBalancer } from "../../test/support/balancer.ts";
import { populateLatchkey } from "../latchkey/population.ts";
import { registerCast } from "../latchkey/registration.ts";
import type { StoreUrls } from "../stores.ts";
import { imageStart } from "./image-start.ts";
import { PROGRAMS } from "./programs.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";
import type { RunningVariant, Variant } from "./variant.ts";

/** Latchkey itself as its image starts it, with its settings as they come, on Redis and Postgres and behind one proxy. */
export const latchkey: Variant = {
  name: "latchkey",
  async start({ stores, personCount }) {
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const settings = settingsOf(stores, issuer);
    const clientSecret = await registerCast(settings, personCount);
    return { name: "latchkey", issuer, clientSecret, ...(await startNode(settings, port)) };
  },
  populate: populateLatchkey,
};

/** Several nodes of one deployment, reached through a balancer. */
export type LatchkeyNodes = Pick<RunningVariant, "issuer" | "clientSecret" | "stop">;

export async function startLatchkeyNodes(options: {
  readonly stores: StoreUrls;
  readonly personCount: number;
  readonly nodeCount: number;
}): Promise<LatchkeyNodes> {
  await using started = new AsyncDisposableStack();
  const balancer = await startBalancer();
  started.defer(() => balancer.close());
  const issuer = `http://127.0.0.1:${balancer.port}`;
  const settings = settingsOf(options.stores, issuer);
  const clientSecret = await registerCast(settings, options.personCount);
  const ports: number[] = [];
  for (let index = 0; index < options.nodeCount; index += 1) {
    const port = await freePort();
    const node = await startNode(settings, port);
    started.defer(() => node.stop());
    ports.push(port);
  }
  balancer.serve(ports);
  const everything = started.move();
  return { issuer, clientSecret, stop: () => everything.disposeAsync() };
}

function settingsOf(stores: StoreUrls, issuer: string): Record<string, string> {
  return {
    ISSUER: issuer,
    DATABASE_URL: stores.postgresUrl,
    REDIS_URL: stores.redisUrl,
    LATCHKEY_SECRET: randomBytes(48).toString("base64url"),
    MIGRATIONS: "apply",
    TRUSTED_PROXIES: "1",
    // A hundred services under one client's name: as many clients as services would only take longer to set up.
    FEED_CLIENT_CONNECTIONS_MAX: "100",
  };
}

function startNode(settings: Record<string, string>, port: number): Promise<ServerProcess> {
  return startServerProcess({
    script: PROGRAMS.latchkey,
    args: ["serve"],
    settings: { ...settings, PORT: String(port) },
    start: imageStart(),
    readyUrl: `http://127.0.0.1:${port}/health/ready`,
  });
}
