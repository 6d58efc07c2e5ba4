import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser } from "../support/browser.ts";
import { alice } from "../support/cast.ts";
import type { Stores } from "../support/latchkey.ts";
import { errorOf } from "../support/relying-party.ts";
import { createWorld, type World } from "../support/world.ts";
import { FAULT_TIMEOUT_MS, times } from "./counts.ts";
import { type FaultyNode, startFaultyNode } from "./nodes.ts";

const ROUNDS = times({ short: 2, full: 50 });
const HEALED = { timeout: 20_000, interval: 5 };

const GIVING_UP = {
  "hangs up": (socket: Socket) => void socket.destroy(),
  "resets the connection": (socket: Socket) => void socket.resetAndDestroy(),
} as const;

/** A node stands still while it has a refresh; the app does not wait, gets its answer from another node, and goes on. */
describe.each<Stores>(["redis", "postgres"])("a refresh that a node finds when it wakes up on %s", (stores) => {
  let world: World;
  let node: FaultyNode;
  /** One for all rounds: so many sign-ins would be throttled. */
  let browser: Browser;

  beforeAll(async () => {
    world = await createWorld({ stores });
    const settings = world.latchkey.settings as Record<string, string>;
    browser = world.openBrowser();
    node = await startFaultyNode({ ...settings, LOG_LEVEL: "info" });
  });
  afterAll(async () => {
    await node.stop();
    await world.close();
  });

  /** A connection to the node, on which one request was answered already if it is to be `used`. */
  async function openConnection(isUsed: boolean): Promise<Socket> {
    const { port, hostname } = new URL(node.origin);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    if (!isUsed) return socket;
    socket.write(`GET /health/live HTTP/1.1\r\nhost: ${new URL(world.latchkey.issuer).host}\r\n\r\n`);
    await once(socket, "data");
    return socket;
  }

  /** Resolves when the request is with the system that the node runs on. */
  async function sendRefresh(socket: Socket, refreshToken: string): Promise<void> {
    const body = new URLSearchParams({
      grant_type: "refresh_token",
      client_id: "notesWeb",
      refresh_token: refreshToken,
    }).toString();
    const head = [
      "POST /token HTTP/1.1",
      `host: ${new URL(world.latchkey.issuer).host}`,
      "content-type: application/x-www-form-urlencoded",
      `content-length: ${Buffer.byteLength(body)}`,
    ];
    await new Promise((resolve) => socket.write(`${head.join("\r\n")}\r\n\r\n${body}`, resolve));
  }

  const countRefreshes = (): number => node.output().split('"path":"/token"').length - 1;

  /** The refresh comes to the node while it stands still, and is what it finds when it wakes up, two refreshes later. */
  async function passPause(isUsed: boolean, whileItWaits: (socket: Socket) => void) {
    const { notesWeb } = world.apps;
    const first = await notesWeb.signIn(browser, alice);
    const before = countRefreshes();
    const socket = await openConnection(isUsed);
    node.pause();
    try {
      await sendRefresh(socket, first.refreshToken);
      whileItWaits(socket);
      const second = await notesWeb.refresh(first.refreshToken);
      const third = await notesWeb.refresh(second.refreshToken);
      return { first, third, socket };
    } finally {
      node.resume();
      await expect.poll(countRefreshes, HEALED).toBe(before + 1);
    }
  }

  describe.each([
    { connection: "new", isUsed: false },
    { connection: "kept", isUsed: true },
  ])("on a $connection connection", ({ isUsed }) => {
    test.each(["hangs up", "resets the connection"] as const)(
      `ends nothing when its app %s, in ${ROUNDS} rounds [ASVS 10.4.5]`,
      { timeout: FAULT_TIMEOUT_MS },
      async (how) => {
        const { notesWeb } = world.apps;
        for (let round = 0; round < ROUNDS; round += 1) {
          const { first, third } = await passPause(isUsed, GIVING_UP[how]);
          await expect(notesWeb.userInfo(third.accessToken, first.claims.sub)).resolves.toBeDefined();
          const fourth = await notesWeb.refresh(third.refreshToken);
          // Had that been a thief: he is caught as soon as he waits for the answer.
          expect(await errorOf(notesWeb.refresh(first.refreshToken))).toBe("invalid_grant");
          expect(await errorOf(notesWeb.refresh(fourth.refreshToken))).toBe("invalid_grant");
        }
      },
    );

    test("ends the family when somebody still waits for the answer", { timeout: FAULT_TIMEOUT_MS }, async () => {
      const { notesWeb } = world.apps;
      const { third, socket } = await passPause(isUsed, () => undefined);
      socket.destroy();
      expect(await errorOf(notesWeb.refresh(third.refreshToken))).toBe("invalid_grant");
    });
  });
});
