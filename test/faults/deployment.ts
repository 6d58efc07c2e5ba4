import { type Cable, layCable } from "../support/cable.ts";
import { freePort } from "../support/servers.ts";
import { type Balancer, startBalancer } from "../support/balancer.ts";
import type { Stores } from "../support/latchkey.ts";
import { addService, type Caller, ordersService } from "../support/services.ts";
import { createWorld, type World } from "../support/world.ts";
import { type FaultyNode, startFaultyNode } from "./nodes.ts";

/** A node with wires of its own to its stores. */
export interface WiredNode extends FaultyNode {
  readonly postgres: Cable;
  /** Absent where Postgres is the only store. */
  readonly redis: Cable | undefined;
}

/** Some nodes that may be broken, and one in this process that stays whole: the operator's, and the judge's. */
export interface Deployment {
  readonly world: World;
  readonly nodes: readonly WiredNode[];
  /** The service that listens to revocations, as a client. */
  readonly orders: Caller;
  close(): Promise<void>;
}

export interface DeploymentOptions {
  readonly stores: Stores;
  /** A Redis of the test's own, to be broken. */
  readonly redisUrl?: string | undefined;
  readonly nodes?: number;
  /** `balanced`: requests to the issuer go to the nodes that may be broken, one after the other. */
  readonly issuerIs?: "whole" | "balanced";
}

export async function deploy(options: DeploymentOptions): Promise<Deployment> {
  const { stores, redisUrl, nodes: count = 2, issuerIs = "whole" } = options;
  const balancer = issuerIs === "balanced" ? await startBalancer() : undefined;
  const port = String(await freePort());
  balancer?.serve([Number(port)]);
  const world = await createWorld({
    stores,
    settings: {
      ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
      ...(balancer === undefined ? {} : { ISSUER: `http://localhost:${balancer.port}`, PORT: port }),
      TRUSTED_PROXIES: "1",
    },
  });
  const orders = await addService(world.latchkey, ordersService);
  const nodes = await Promise.all(Array.from({ length: count }, () => startWiredNode(world)));
  balancer?.serveOnly(nodes.map(({ origin }) => Number(new URL(origin).port)));
  return { world, nodes, orders, close: () => closeAll({ world, nodes, balancer }) };
}

async function startWiredNode({ latchkey }: World): Promise<WiredNode> {
  const { DATABASE_URL = "", REDIS_URL } = latchkey.settings;
  const postgres = await layCable(DATABASE_URL);
  const redis = REDIS_URL === undefined ? undefined : await layCable(REDIS_URL);
  const node = await startFaultyNode({
    ...latchkey.settings,
    DATABASE_URL: postgres.url,
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
  });
  return { ...node, postgres, redis };
}

async function closeAll(all: {
  readonly world: World;
  readonly nodes: readonly WiredNode[];
  readonly balancer: Balancer | undefined;
}): Promise<void> {
  await all.balancer?.close();
  for (const node of all.nodes) await node.stop();
  for (const { postgres, redis } of all.nodes) await Promise.all([postgres.close(), redis?.close()]);
  await all.world.close();
}
