/**
 * What may be used once, used 20 times at the same moment at two nodes.
 *
 * | what | exactly one … |
 * |---|---|
 * | authorization code | gets tokens |
 * | refresh token | successor; everybody who asked gets that one |
 * | pushed authorization request | leads to a code |
 * | step of an authenticator app, recovery code | is accepted |
 * | `jti` of a client assertion (`private_key_jwt`), of a DPoP proof | is answered with tokens |
 *
 * Figure: 20 parallel × 200 rounds each. More of races, with barriers in the middle of a request: test/contract.
 */
import { randomUUID } from "node:crypto";
import { exportJWK, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { enrollPerson } from "../flow/mfa/people.ts";
import { fromAnywhere } from "../support/addresses.ts";
import { deskKey } from "../support/apps.ts";
import type { Browser } from "../support/browser.ts";
import { alice } from "../support/cast.ts";
import { authorizeAs } from "../support/journeys.ts";
import type { Stores, TestLatchkey } from "../support/latchkey.ts";
import { askNode, type RawAnswer } from "../support/raw-http.ts";
import { startSecondNode } from "../support/services.ts";
import { createWorld, openWallet, type World } from "../support/world.ts";
import { FAULT_TIMEOUT_MS, printFigure, times } from "./counts.ts";

const PARALLEL = 20;
const ROUNDS = times({ short: 2, full: 200 });
const STORES = times<readonly Stores[]>({ short: ["redis"], full: ["redis", "postgres"] });

describe.each(STORES)(`${PARALLEL} at once at two nodes on %s`, (stores) => {
  let world: World;
  let nodes: readonly TestLatchkey[];
  beforeAll(async () => {
    world = await createWorld({ stores, settings: { TRUSTED_PROXIES: "1" } });
    nodes = [world.latchkey, await startSecondNode(world.latchkey)];
  });
  afterAll(async () => {
    await nodes[1]?.close();
    await world.close();
  });

  const originOf = (turn: number): string => `http://127.0.0.1:${nodes[turn % nodes.length]?.settings.PORT}`;
  const hostOf = (): string => new URL(world.latchkey.issuer).host;

  function post(turn: number, form: Readonly<Record<string, string>>, headers = {}): Promise<RawAnswer> {
    return askNode(`${originOf(turn)}/token`, {
      method: "POST",
      headers: { host: hostOf(), "content-type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams(form).toString(),
    });
  }

  /** So many sign-ins from one place would be throttled. */
  const openBrowser = (): Browser => world.openBrowser(fromAnywhere());

  type Attempt = (turn: number) => Promise<boolean>;
  const isGiven = async (answering: Promise<RawAnswer>): Promise<boolean> => {
    const { status } = await answering;
    // Refused, and no failure of ours.
    if (status !== 200) expect([400, 401]).toContain(status);
    return status === 200;
  };

  async function signedInCode() {
    const request = await world.apps.notesWeb.begin();
    const { url } = await authorizeAs(openBrowser(), alice, request.url);
    return { code: url.searchParams.get("code") ?? "", code_verifier: request.verifier };
  }

  /** Each makes one thing that may be used once, and says how it is used. */
  const THINGS: Readonly<Record<string, () => Promise<Attempt>>> = {
    "authorization code": async () => {
      const { redirectUri: redirect_uri } = world.apps.notesWeb;
      const form = { grant_type: "authorization_code", client_id: "notesWeb", redirect_uri, ...(await signedInCode()) };
      return (turn) => isGiven(post(turn, form));
    },
    "refresh token": async () => {
      const { refreshToken } = await world.apps.notesWeb.signIn(openBrowser(), alice);
      const successors = new Set<string>();
      return async (turn) => {
        const form = { grant_type: "refresh_token", client_id: "notesWeb", refresh_token: refreshToken };
        const { status, body } = await post(turn, form);
        expect(status).toBe(200);
        const successor = (JSON.parse(body) as { readonly refresh_token: string }).refresh_token;
        const isNew = !successors.has(successor) && successor !== refreshToken;
        successors.add(successor);
        return isNew;
      };
    },
    "pushed request": async () => {
      const browser = openBrowser();
      await world.apps.notesWeb.signIn(browser, alice);
      const { url } = await world.apps.bankWeb.beginPushed({ prompt: "none" });
      return async (turn) => {
        const headers = { host: hostOf(), cookie: browser.jar.headerFor(url) };
        const answer = await askNode(originOf(turn) + url.pathname + url.search, { headers });
        return new URL(answer.headers.get("location") ?? "x:", url).searchParams.has("code");
      };
    },
    "step of an authenticator app": async () => {
      const { id, app } = await enrollPerson(world);
      const code = app.code();
      return async (turn) => {
        const source = { address: "198.51.100.7", requestId: `request-${turn}` };
        const { factors } = nodes[turn % nodes.length] ?? world.latchkey;
        return (await factors.totp.verify(id, { code, source })).outcome === "accepted";
      };
    },
    "recovery code": async () => {
      const { id, recoveryCodes } = await enrollPerson(world);
      const code = recoveryCodes[0] ?? "";
      return async (turn) => {
        const source = { address: "198.51.100.7", requestId: `request-${turn}` };
        const { factors } = nodes[turn % nodes.length] ?? world.latchkey;
        return (await factors.recoveryCodes.verify(id, { code, source })).outcome === "accepted";
      };
    },
    "client assertion": async () => {
      const signIn = world.apps.deskKey;
      const browser = openBrowser();
      const { refreshToken } = await signIn.signIn(browser, alice);
      const assertion = await new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg: "ES256", kid: "desk" })
        .setIssuer(deskKey.id)
        .setSubject(deskKey.id)
        .setAudience(world.latchkey.issuer)
        .setIssuedAt()
        .setExpirationTime("1 minute")
        .sign(world.deskPrivateKey);
      const form = {
        grant_type: "refresh_token",
        refresh_token: refreshToken,
        client_id: deskKey.id,
        client_assertion: assertion,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      };
      // From as many places: a client that fails so often from one is refused unheard.
      return (turn) => isGiven(post(turn, form, fromAnywhere()));
    },
    "DPoP proof": async () => {
      const { app, keys } = await openWallet(world);
      const { refreshToken } = await app.signIn(openBrowser(), alice);
      const proof = await new SignJWT({ htm: "POST", htu: world.server.token_endpoint ?? "", jti: randomUUID() })
        .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: await exportJWK(keys.publicKey) })
        .setIssuedAt()
        .sign(keys.privateKey);
      const form = { grant_type: "refresh_token", client_id: "walletWeb", refresh_token: refreshToken };
      return (turn) => isGiven(post(turn, form, { dpop: proof }));
    },
  };

  test.each(Object.keys(THINGS))(`%s: one of them`, { timeout: FAULT_TIMEOUT_MS }, async (name) => {
    const winners: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const attempt = await THINGS[name]?.();
      if (attempt === undefined) throw new Error(`there is no ${name}`);
      const outcomes = await Promise.all(Array.from({ length: PARALLEL }, (_, turn) => attempt(turn)));
      winners.push(outcomes.filter(Boolean).length);
    }
    expect(winners).toEqual(winners.map(() => 1));
    printFigure(`${name} (${stores}): ${PARALLEL} parallel × ${ROUNDS} rounds, exactly one each`);
  });
});
