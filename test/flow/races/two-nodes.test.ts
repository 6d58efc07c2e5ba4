import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser } from "../../support/browser.ts";
import { alice } from "../../support/cast.ts";
import { authorizeAs } from "../../support/journeys.ts";
import { startNode, type Stores, type TestLatchkey } from "../../support/latchkey.ts";
import { askNode } from "../../support/raw-http.ts";
import { freePort } from "../../support/servers.ts";
import { createWorld, type World } from "../../support/world.ts";

const ROUNDS = 3;
const REFRESH_ROUNDS = 10;
const PARALLEL = 20;

describe.each<Stores>(["redis", "postgres"])("two nodes on %s", (stores) => {
  let world: World;
  let secondNode: TestLatchkey;
  let tokenUrls: readonly string[];

  beforeAll(async () => {
    world = await createWorld({ stores });
    const port = String(await freePort());
    secondNode = await startNode({ settings: { ...world.latchkey.settings, PORT: port } });
    tokenUrls = [world.latchkey.settings.PORT, port].map((one) => `http://127.0.0.1:${one}/token`);
  });

  afterAll(async () => {
    await secondNode.close();
    await world.close();
  });

  /** A balancer's view: both nodes answer for the issuer's host. */
  async function post(turn: number, body: Record<string, string>): Promise<{ status: number; body: TokenAnswer }> {
    const host = new URL(world.latchkey.issuer).host;
    const answer = await askNode(tokenUrls[turn % tokenUrls.length] ?? "", {
      method: "POST",
      headers: { host, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(body).toString(),
    });
    return { status: answer.status, body: JSON.parse(answer.body) as TokenAnswer };
  }

  interface TokenAnswer {
    readonly error?: string;
    readonly refresh_token?: string;
    readonly access_token?: string;
  }

  async function raceOf(body: Record<string, string>) {
    const answers = await Promise.all(Array.from({ length: PARALLEL }, (_, turn) => post(turn, body)));
    const winners = answers.filter(({ status }) => status === 200);
    const losers = answers.filter(({ status }) => status !== 200);
    expect(losers.map((loser) => loser.body.error)).toEqual(losers.map(() => "invalid_grant"));
    return winners;
  }

  test("20 parallel refreshes of one token all succeed with one successor, and everybody can go on [ASVS 10.4.5]", async () => {
    let { refreshToken } = await world.apps.notesWeb.signIn(world.openBrowser(), alice);
    for (let round = 0; round < REFRESH_ROUNDS; round += 1) {
      const body = { grant_type: "refresh_token", client_id: "notesWeb", refresh_token: refreshToken };
      const winners = await raceOf(body);
      expect(winners).toHaveLength(PARALLEL);
      expect(new Set(winners.map((winner) => winner.body.access_token)).size).toBe(PARALLEL);
      const successors = new Set(winners.map((winner) => winner.body.refresh_token));
      expect(successors.size).toBe(1);
      refreshToken = [...successors][0] ?? "";
    }
  });

  test("of 20 parallel redemptions of one code at most one succeeds [RFC 6749 4.1.2]", async () => {
    const browser = world.openBrowser();
    for (let round = 0; round < ROUNDS; round += 1) {
      // One that comes after the winner is done is a replay, and ends what the winner got.
      expect((await raceOf(await codeFor(browser))).length).toBeLessThanOrEqual(1);
    }
  });

  test("of two uses of a code at once exactly one gets tokens [RFC 6749 4.1.2]", async () => {
    const browser = world.openBrowser();
    for (let round = 0; round < ROUNDS; round += 1) {
      const body = new URLSearchParams(await codeFor(browser)).toString();
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      const send = () => fetch(`${world.latchkey.issuer}/token`, { method: "POST", headers, body });
      const answers = await Promise.all([send(), send()]);
      // Whether the loser came while the winner was under way, or after it, is up to the machine: whether the tokens then
      // live on is shown beside authorization-code-model.ts.
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 400)).toHaveLength(1);
    }
  });

  async function codeFor(browser: Browser) {
    const request = await world.apps.notesWeb.begin();
    const { url } = await authorizeAs(browser, alice, request.url);
    return {
      grant_type: "authorization_code",
      client_id: "notesWeb",
      code: url.searchParams.get("code") ?? "",
      redirect_uri: world.apps.notesWeb.redirectUri,
      code_verifier: request.verifier,
    };
  }
});
