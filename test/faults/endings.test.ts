import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fromAnywhere } from "../support/addresses.ts";
import type { Browser } from "../support/browser.ts";
import { alice } from "../support/cast.ts";
import { signInAs } from "../support/journeys.ts";
import type { Stores, TestLatchkey } from "../support/latchkey.ts";
import type { SentRequest } from "../support/relying-party.ts";
import { addService, type Answer, type Caller, ordersService, post, startSecondNode } from "../support/services.ts";
import { createWorld, type World } from "../support/world.ts";
import { FAULT_TIMEOUT_MS, times } from "./counts.ts";

const ROUNDS = times({ short: 8, full: 1_000 });
const FOR_ORDERS = { scope: "openid orders:read" };
const SHOP: Caller = { id: "shopWeb" };

interface TokenAnswer {
  readonly access_token?: string;
  readonly refresh_token?: string;
}

describe.each<Stores>(["redis", "postgres"])(
  "access that ends while it is being given, at two nodes on %s",
  (stores) => {
    let world: World;
    let second: TestLatchkey;
    let orders: Caller;
    beforeAll(async () => {
      world = await createWorld({ stores, settings: { TRUSTED_PROXIES: "1" } });
      orders = await addService(world.latchkey, ordersService);
      second = await startSecondNode(world.latchkey);
      // Allows what the app asks for, once and for all rounds.
      await world.apps.shopWeb.signIn(world.openBrowser(), alice, FOR_ORDERS);
    });
    afterAll(async () => {
      await second.close();
      await world.close();
    });

    const nodeOf = (turn: number): TestLatchkey => (turn % 2 === 0 ? world.latchkey : second);
    const ask = (node: TestLatchkey, parameters: Record<string, string>): Promise<Answer> =>
      post(node, "/token", { caller: SHOP, parameters });
    const redeem = (node: TestLatchkey, request: SentRequest, callback: URL): Promise<Answer> =>
      ask(node, {
        grant_type: "authorization_code",
        code: callback.searchParams.get("code") ?? "",
        redirect_uri: world.apps.shopWeb.redirectUri,
        code_verifier: request.verifier,
      });
    const refresh = (node: TestLatchkey, token: string): Promise<Answer> =>
      ask(node, { grant_type: "refresh_token", refresh_token: token });

    async function newCode(browser: Browser): Promise<{ request: SentRequest; callback: URL }> {
      const request = await world.apps.shopWeb.begin(FOR_ORDERS);
      return { request, callback: (await browser.open(request.url)).url };
    }

    async function isActive(token: string): Promise<boolean> {
      const { body } = await post(second, "/introspect", { caller: orders, parameters: { token } });
      return (body as { active: boolean }).active;
    }

    /** What of the answers still lets somebody in. */
    async function listUsable(answers: readonly Answer[], browser: Browser): Promise<readonly string[]> {
      const usable: string[] = [];
      for (const { body } of answers) {
        const { access_token: jwt, refresh_token: token } = body as TokenAnswer;
        if (jwt !== undefined && (await isActive(jwt))) usable.push("access token");
        if (token !== undefined && (await refresh(world.latchkey, token)).status !== 400) usable.push("refresh token");
      }
      const silent = await browser.open((await world.apps.shopWeb.begin({ ...FOR_ORDERS, prompt: "none" })).url);
      return silent.url.searchParams.get("error") === "login_required" ? usable : [...usable, "cookie"];
    }

    test(
      `in ${ROUNDS} rounds of ending a session against refresh, code and silent sign-in, nothing usable is left`,
      { timeout: FAULT_TIMEOUT_MS },
      async () => {
        for (let round = 0; round < ROUNDS; round += 1) {
          // So many sign-ins from one place would be throttled.
          const browser = world.openBrowser(fromAnywhere());
          await signInAs(browser, alice, world.latchkey.issuer);
          const [used, unused] = [await newCode(browser), await newCode(browser)];
          const first = (await redeem(nodeOf(round), used.request, used.callback)).body as TokenAnswer;
          const { sub = "", sid } = decodeJwt(first.access_token ?? "");
          const silently = newCode(browser).then(({ request, callback }) => redeem(second, request, callback));
          const [, ...answers] = await Promise.all([
            nodeOf(round + 1).sessions.end(sub, String(sid), "ended_by_person"),
            refresh(nodeOf(round), first.refresh_token ?? ""),
            redeem(nodeOf(round + 1), unused.request, unused.callback),
            silently,
          ]);
          expect(await listUsable([...answers, { ...answers[0], body: first }], browser)).toEqual([]);
        }
      },
    );
  },
);
