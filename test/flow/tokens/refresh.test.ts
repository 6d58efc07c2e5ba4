import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deskBasic, ledgerApi, notesWeb as notesSettings } from "../../support/apps.ts";
import { alice, ordersApi } from "../../support/cast.ts";
import { authorizeAs } from "../../support/journeys.ts";
import type { Stores } from "../../support/latchkey.ts";
import { errorOf, type RelyingParty } from "../../support/relying-party.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { createWorld, openWallet, type World } from "../../support/world.ts";

const REPLAY_SECONDS = 30;
const DAY = 24 * 60 * 60;

describe.each<Stores>(["redis", "postgres", "embedded"])("a refresh token on %s", (stores) => {
  let world: World;
  beforeAll(async () => {
    // Sessions that outlast everything here, so that what ends is the refresh token's own doing.
    const settings = { SESSION_IDLE_SECONDS: "31536000", SESSION_MAX_SECONDS: "31536000" };
    world = await createWorld({ stores, settings });
  });
  afterAll(() => world.close());

  const signIn = async (app: RelyingParty, changes = {}) => app.signIn(world.openBrowser(), alice, changes);

  test("whose answer was lost is sent again, and gives the same successor with a fresh access token", async () => {
    const { notesWeb } = world.apps;
    const { refreshToken, claims } = await signIn(notesWeb);
    const lost = await notesWeb.refresh(refreshToken);
    const again = await notesWeb.refresh(refreshToken);
    expect(again.refreshToken).toBe(lost.refreshToken);
    expect(again.accessToken).not.toBe(lost.accessToken);
    for (const { accessToken } of [lost, again])
      expect(await notesWeb.userInfo(accessToken, claims.sub)).toMatchObject({ sub: claims.sub });
    expect((await notesWeb.refresh(again.refreshToken)).refreshToken).not.toBe(again.refreshToken);
  });

  test("that three tabs use at once gives each of them the same successor", async () => {
    const { notesWeb } = world.apps;
    let { refreshToken } = await signIn(notesWeb);
    for (let round = 0; round < 5; round += 1) {
      const answers = await Promise.all([1, 2, 3].map(() => notesWeb.refresh(refreshToken)));
      const successors = new Set(answers.map((answer) => answer.refreshToken));
      expect(successors.size).toBe(1);
      refreshToken = [...successors][0] ?? "";
    }
  });

  test("is taken for stolen once its successor was used: everything of the app ends, and nothing of another [ASVS 10.4.5]", async () => {
    const { notesWeb, mailWeb } = world.apps;
    const browser = world.openBrowser();
    const first = await notesWeb.signIn(browser, alice);
    const mail = await mailWeb.signIn(browser, alice);
    const second = await notesWeb.refresh(first.refreshToken);
    const third = await notesWeb.refresh(second.refreshToken);
    expect(await errorOf(notesWeb.refresh(first.refreshToken))).toBe("invalid_grant");
    expect(await errorOf(notesWeb.refresh(third.refreshToken))).toBe("invalid_grant");
    expect(await errorOf(notesWeb.userInfo(third.accessToken, first.claims.sub))).toBe("invalid_token");
    await expect(mailWeb.refresh(mail.refreshToken)).resolves.toBeDefined();
  });

  test(`is taken for stolen ${REPLAY_SECONDS} seconds after it was used, and not before`, async () => {
    const { notesWeb } = world.apps;
    const travel = startTimeTravel();
    const { refreshToken } = await signIn(notesWeb);
    const next = await notesWeb.refresh(refreshToken);
    travel.advanceSeconds(REPLAY_SECONDS - 5);
    expect((await notesWeb.refresh(refreshToken)).refreshToken).toBe(next.refreshToken);
    travel.advanceSeconds(5);
    expect(await errorOf(notesWeb.refresh(refreshToken))).toBe("invalid_grant");
    expect(await errorOf(notesWeb.refresh(next.refreshToken))).toBe("invalid_grant");
  });

  test("that is sent again for another API is refused, and its successor stays", async () => {
    const { mailWeb } = world.apps;
    const [orders, ledger] = [ordersApi.identifier, ledgerApi.identifier];
    const request = await mailWeb.begin({ scope: "openid orders:read ledger:read" });
    request.url.searchParams.append("resource", orders);
    request.url.searchParams.append("resource", ledger);
    const { url } = await authorizeAs(world.openBrowser(), alice, request.url);
    const response = await mailWeb.redeem(request, url);
    const { refresh_token: refreshToken = "" } = (await response.json()) as { refresh_token?: string };
    const next = await mailWeb.refresh(refreshToken, { resource: orders });
    for (const parameters of [{ resource: ledger }, {}])
      expect(await errorOf(mailWeb.refresh(refreshToken, parameters))).toBe("invalid_grant");
    expect((await mailWeb.refresh(refreshToken, { resource: orders })).refreshToken).toBe(next.refreshToken);
    await expect(mailWeb.refresh(next.refreshToken, { resource: ledger })).resolves.toBeDefined();
  });

  test("stays as it is when a request for an API or a scope that it is not for is refused", async () => {
    const { mailWeb } = world.apps;
    const resource = ordersApi.identifier;
    const { refreshToken } = await signIn(mailWeb, { scope: "openid orders:read", resource });
    expect(await errorOf(mailWeb.refresh(refreshToken, { resource: ledgerApi.identifier }))).toBe("invalid_target");
    expect(await errorOf(mailWeb.refresh(refreshToken, { scope: "openid ledger:read" }))).toBe("invalid_scope");
    expect((await mailWeb.refresh(refreshToken, { resource })).refreshToken).not.toBe(refreshToken);
  });

  test("of another client is refused, used or not, and stays valid for its owner", async () => {
    const { notesWeb, mailWeb } = world.apps;
    const { refreshToken } = await signIn(notesWeb);
    expect(await errorOf(mailWeb.refresh(refreshToken))).toBe("invalid_grant");
    const next = await notesWeb.refresh(refreshToken);
    expect(await errorOf(mailWeb.refresh(refreshToken))).toBe("invalid_grant");
    const third = await notesWeb.refresh(next.refreshToken);
    expect(await errorOf(mailWeb.refresh(refreshToken))).toBe("invalid_grant");
    await expect(notesWeb.refresh(third.refreshToken)).resolves.toBeDefined();
  });

  test("that is sent again by another key than the first time is refused, and its successor stays", async () => {
    const keys = await Promise.all([1, 2].map(() => oauth.generateKeyPair("ES256")));
    const [mine, other] = keys.map((pair) =>
      world.appOf({
        clientId: notesSettings.id,
        redirectUri: notesSettings.redirectUris[0],
        dpop: oauth.DPoP({}, pair),
      }),
    );
    const { notesWeb } = world.apps;
    const { refreshToken } = await signIn(notesWeb);
    const next = await mine?.refresh(refreshToken);
    for (const app of [other, notesWeb])
      expect(await errorOf(app?.refresh(refreshToken) ?? Promise.resolve())).toBe("invalid_grant");
    expect((await mine?.refresh(refreshToken))?.refreshToken).toBe(next?.refreshToken);
  });

  describe("of a client that proves its key", () => {
    test("stays the same and is refused to any other key, used or not [RFC 9449 5] [FAPI 2.0 5.3.2.1]", async () => {
      const { app } = await openWallet(world);
      const { app: thief } = await openWallet(world);
      const { refreshToken } = await signIn(app);
      for (let use = 0; use < 3; use += 1) {
        expect((await app.refresh(refreshToken)).refreshToken).toBe(refreshToken);
        expect(await errorOf(thief.refresh(refreshToken))).toBe("invalid_grant");
      }
    });

    test("stays the same as well for a confidential client, and rotates when it comes without proof", async () => {
      const { deskBasic: bare } = world.apps;
      const dpop = oauth.DPoP({}, await oauth.generateKeyPair("ES256"));
      const { redirectUri, authentication } = bare;
      const bound = world.appOf({ clientId: deskBasic.id, redirectUri, authentication, dpop });
      const { refreshToken } = await signIn(bound);
      expect((await bound.refresh(refreshToken)).refreshToken).toBe(refreshToken);
      const next = await bare.refresh(refreshToken);
      expect(next.refreshToken).not.toBe(refreshToken);
      expect((await bound.refresh(next.refreshToken)).refreshToken).toBe(next.refreshToken);
      // Its successor was used, which closes the window although nothing rotated.
      expect(await errorOf(bare.refresh(refreshToken))).toBe("invalid_grant");
      expect(await errorOf(bare.refresh(next.refreshToken))).toBe("invalid_grant");
    });

    test("begins its idle time anew with each use, and ends in any case", async () => {
      const { app } = await openWallet(world);
      const travel = startTimeTravel();
      const { refreshToken } = await signIn(app, { scope: "openid orders:read" });
      for (let use = 0; use < 6; use += 1) {
        travel.advanceSeconds(13 * DAY);
        expect((await app.refresh(refreshToken)).refreshToken).toBe(refreshToken);
      }
      travel.advanceSeconds(12 * DAY);
      expect(await errorOf(app.refresh(refreshToken))).toBe("invalid_grant");
    });

    test("ends when it is idle", async () => {
      const { app } = await openWallet(world);
      const travel = startTimeTravel();
      const { refreshToken } = await signIn(app);
      await app.refresh(refreshToken);
      travel.advanceSeconds(14 * DAY);
      expect(await errorOf(app.refresh(refreshToken))).toBe("invalid_grant");
    });
  });

  describe("ends", () => {
    const HOUR = 60 * 60;

    test("14 days after it was used last, and 90 days after the sign-in in any case", async () => {
      const { notesWeb } = world.apps;
      const travel = startTimeTravel();
      const { refreshToken: idle } = await signIn(notesWeb);
      let { refreshToken } = await signIn(notesWeb);
      for (let use = 0; use < 6; use += 1) {
        travel.advanceSeconds(14 * DAY - 60);
        ({ refreshToken } = await notesWeb.refresh(refreshToken));
      }
      expect(await errorOf(notesWeb.refresh(idle))).toBe("invalid_grant");
      travel.advanceSeconds(6 * DAY + 6 * 60);
      expect(await errorOf(notesWeb.refresh(refreshToken))).toBe("invalid_grant");
    });

    test("sooner where its client has limits of its own", async () => {
      const { latchkey } = world;
      const redirectUri = "https://notes.example.com/kiosk";
      const limits = { refreshIdleSeconds: HOUR, refreshMaxSeconds: 2 * HOUR };
      const kiosk = {
        id: `kiosk-${stores}`,
        name: "Kiosk",
        isFirstParty: true,
        redirectUris: [redirectUri],
        ...limits,
      };
      await latchkey.clients.addClient(kiosk);
      const app = world.appOf({ clientId: kiosk.id, redirectUri });
      const travel = startTimeTravel();
      const { refreshToken: idle } = await signIn(app);
      let { refreshToken } = await signIn(app);
      for (let use = 0; use < 2; use += 1) {
        travel.advanceSeconds(HOUR - 60);
        ({ refreshToken } = await app.refresh(refreshToken));
      }
      expect(await errorOf(app.refresh(idle))).toBe("invalid_grant");
      travel.advanceSeconds(120);
      expect(await errorOf(app.refresh(refreshToken))).toBe("invalid_grant");
    });
  });
});

test("with no window to be sent again in, a refresh token works once", async () => {
  const world = await createWorld({ stores: "redis", settings: { REFRESH_REPLAY_SECONDS: "0" } });
  try {
    const { notesWeb } = world.apps;
    const { refreshToken } = await notesWeb.signIn(world.openBrowser(), alice);
    const next = await notesWeb.refresh(refreshToken);
    expect(await errorOf(notesWeb.refresh(refreshToken))).toBe("invalid_grant");
    expect(await errorOf(notesWeb.refresh(next.refreshToken))).toBe("invalid_grant");
  } finally {
    await world.close();
  }
});
