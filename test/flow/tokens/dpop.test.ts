import { calculateJwkThumbprint, decodeJwt, exportJWK, SignJWT } from "jose";
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { alice } from "../../support/cast.ts";
import { authorizeAs } from "../../support/journeys.ts";
import { errorOf } from "../../support/relying-party.ts";
import { createWorld, openWallet, type World } from "../../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await createWorld({ stores: "redis" });
});
afterAll(() => world.close());

test("a token is bound to the key of its proof [RFC 9449 6]", async () => {
  const { app, keys } = await openWallet(world);
  const { accessToken } = await app.signIn(world.openBrowser(), alice, { scope: "openid orders:read" });
  const thumbprint = await calculateJwkThumbprint(await exportJWK(keys.publicKey));
  expect(decodeJwt(accessToken)["cnf"]).toEqual({ jkt: thumbprint });
});

test("a client that has to prove its key gets nothing without a proof [RFC 9449 5.2]", async () => {
  const { app } = await openWallet(world);
  const request = await app.begin();
  const { url } = await authorizeAs(world.openBrowser(), alice, request.url);
  const bare = world.appOf({ clientId: "walletWeb", redirectUri: app.redirectUri });
  expect(await errorOf(bare.complete(request, url))).toBe("invalid_grant");
});

test("a refresh with another key is refused, and the token stays with its own [RFC 9449 5]", async () => {
  const { app } = await openWallet(world);
  const { refreshToken } = await app.signIn(world.openBrowser(), alice);
  const { app: thief } = await openWallet(world);
  expect(await errorOf(thief.refresh(refreshToken))).toMatch(/invalid_(grant|dpop_proof)/);
  await expect(app.refresh(refreshToken)).resolves.toBeDefined();
});

test("a proof works once [RFC 9449 11.1]", async () => {
  const { app, keys } = await openWallet(world);
  const { refreshToken } = await app.signIn(world.openBrowser(), alice);
  const endpoint = world.server.token_endpoint ?? "";
  const proof = await new SignJWT({ htm: "POST", htu: endpoint, jti: oauth.generateRandomState() })
    .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: await exportJWK(keys.publicKey) })
    .setIssuedAt()
    .sign(keys.privateKey);
  const refreshWith = async (token: string) =>
    (await (
      await fetch(endpoint, {
        method: "POST",
        headers: { dpop: proof },
        body: new URLSearchParams({ grant_type: "refresh_token", client_id: "walletWeb", refresh_token: token }),
      })
    ).json()) as { error?: string; refresh_token?: string };
  const first = await refreshWith(refreshToken);
  expect(first.refresh_token).toBeDefined();
  expect(await refreshWith(first.refresh_token ?? "")).toMatchObject({ error: "invalid_grant" });
  // It was the proof that was refused: with a new one the token works.
  await expect(app.refresh(first.refresh_token ?? "")).resolves.toBeDefined();
});
