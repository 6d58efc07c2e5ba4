import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alice } from "../support/cast.ts";
import { startNode, type Stores, type TestLatchkey } from "../support/latchkey.ts";
import { freePort } from "../support/servers.ts";
import { createWorld, type World } from "../support/world.ts";
import { FAULT_TIMEOUT_MS, times } from "./counts.ts";
import { type FaultyNode, startFaultyNode } from "./nodes.ts";
import { askForTokens, refreshUntilAnswered, type TokenEndpoint } from "./refreshing-app.ts";

const PARALLEL = 20;
const RACES = times({ short: 4, full: 200 });
const LOST_ANSWERS = times({ short: 10, full: 100 });
const KILLS = times({ short: 2, full: 500 });
const APPS_UNDER_LOAD = 8;

describe.each<Stores>(["redis", "postgres"])("refreshing at two nodes on %s", (stores) => {
  let world: World;
  let secondNode: TestLatchkey;
  let endpoints: readonly TokenEndpoint[];

  beforeAll(async () => {
    world = await createWorld({ stores });
    const port = String(await freePort());
    secondNode = await startNode({ settings: { ...world.latchkey.settings, PORT: port } });
    endpoints = [world.latchkey.settings.PORT, port].map((one) => endpointAt(`http://127.0.0.1:${one}`));
  });

  afterAll(async () => {
    await secondNode.close();
    await world.close();
  });

  const endpointAt = (origin: string): TokenEndpoint => ({
    url: `${origin}/token`,
    host: new URL(world.latchkey.issuer).host,
  });
  const anyEndpoint = (turn: number): TokenEndpoint => endpoints[turn % endpoints.length] ?? endpointAt("");

  async function newFamilies(count: number): Promise<string[]> {
    const browser = world.openBrowser();
    const families: string[] = [];
    for (let index = 0; index < count; index += 1) {
      families.push((await world.apps.notesWeb.signIn(browser, alice)).refreshToken);
    }
    return families;
  }

  test(
    `in ${RACES} rounds of ${PARALLEL} parallel refreshes each token has one successor, and everybody can go on`,
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      let [token = ""] = await newFamilies(1);
      for (let round = 0; round < RACES; round += 1) {
        const form = { grant_type: "refresh_token", client_id: "notesWeb", refresh_token: token };
        const answers = await Promise.all(
          Array.from({ length: PARALLEL }, (_, turn) => askForTokens(anyEndpoint(turn), form)),
        );
        expect(answers.map(({ status, body }) => body.error ?? status)).toEqual(answers.map(() => 200));
        const successors = new Set(answers.map(({ body }) => body.refresh_token));
        expect(successors.size).toBe(1);
        expect(successors.has(token)).toBe(false);
        token = [...successors][0] ?? "";
      }
    },
  );

  test(
    `of ${LOST_ANSWERS} answers that were lost on the way ${LOST_ANSWERS} are recovered by asking again`,
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      await using deafProxy = await startDeafProxy(Number(world.latchkey.settings.PORT));
      let [token = ""] = await newFamilies(1);
      for (let round = 0; round < LOST_ANSWERS; round += 1) {
        const form = { client_id: "notesWeb", refresh_token: token };
        const lost = askForTokens(endpointAt(deafProxy.origin), { grant_type: "refresh_token", ...form });
        await expect(lost).rejects.toThrow(/ECONNRESET|socket hang up/);
        const recovered = await refreshUntilAnswered((attempt) => anyEndpoint(round + attempt), form);
        expect(recovered).not.toBe(token);
        token = recovered;
      }
      expect(deafProxy.answersSwallowed()).toBe(LOST_ANSWERS);
    },
  );

  test(
    `${KILLS} kills of nodes under refresh load fork no family and sign nobody out`,
    { timeout: FAULT_TIMEOUT_MS },
    async () => {
      const settings = { ...world.latchkey.settings } as Record<string, string>;
      const nodes = await Promise.all(Array.from({ length: 3 }, () => startFaultyNode(settings)));
      try {
        const tokens = await newFamilies(APPS_UNDER_LOAD);
        const isOver = { now: false };
        const apps = tokens.map((token) => refreshWhile(() => !isOver.now, token, nodes));
        const killing = killInTurns(nodes, KILLS).finally(() => (isOver.now = true));
        const [forks] = await Promise.all([Promise.all(apps), killing]);
        expect(forks.flat()).toEqual([]);
      } finally {
        for (const node of nodes) await node.stop();
      }
    },
  );

  /** An app with two tabs, both of which refresh at once, at nodes that die. Returns the forks that it saw. */
  async function refreshWhile(
    goesOn: () => boolean,
    first: string,
    nodes: readonly FaultyNode[],
  ): Promise<readonly string[]> {
    const forks: string[] = [];
    let token = first;
    const endpointOf = (attempt: number): TokenEndpoint =>
      endpointAt(nodes[(attempt + Math.floor(Math.random() * nodes.length)) % nodes.length]?.origin ?? "");
    while (goesOn()) {
      const form = { client_id: "notesWeb", refresh_token: token };
      const successors = await Promise.all([
        refreshUntilAnswered(endpointOf, form),
        refreshUntilAnswered(endpointOf, form),
      ]);
      if (successors[0] !== successors[1]) forks.push("two successors of one token");
      token = successors[0];
    }
    return forks;
  }
});

/** Kills one node after the other, so that there are always some that answer. */
async function killInTurns(nodes: readonly FaultyNode[], kills: number): Promise<void> {
  let left = kills;
  const killOne = async (node: FaultyNode, position: number): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, position * 400));
    while (left > 0) {
      left -= 1;
      await node.killAndRestart();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
    }
  };
  // The last node stays up, so that an app's request can always be answered in the end.
  await Promise.all(nodes.slice(0, -1).map(killOne));
}

/** Passes requests on to a node and swallows its answers: the connection breaks when the answer begins. */
async function startDeafProxy(port: number) {
  let swallowed = 0;
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    near.pipe(far);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
    far.once("data", () => {
      swallowed += 1;
      near.resetAndDestroy();
      far.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: own } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${own}`,
    answersSwallowed: () => swallowed,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}
