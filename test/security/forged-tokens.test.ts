import { createHmac, randomUUID } from "node:crypto";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fromAnywhere } from "../support/addresses.ts";
import { alice } from "../support/cast.ts";
import { signInAs } from "../support/journeys.ts";
import { addService, ordersService, post } from "../support/services.ts";
import { createWorld, type World } from "../support/world.ts";

let world: World;
let tokens: { idToken: string; accessToken: string; jwtAccessToken: string };
let serverKeys: readonly JWK[];

beforeAll(async () => {
  world = await createWorld({ stores: "redis", settings: { TRUSTED_PROXIES: "1" } });
  const notes = await world.apps.notesWeb.signIn(world.openBrowser(), alice);
  const shop = await world.apps.shopWeb.signIn(world.openBrowser(), alice, { scope: "openid orders:read" });
  tokens = { idToken: notes.idToken, accessToken: notes.accessToken, jwtAccessToken: shop.accessToken };
  serverKeys = ((await (await fetch(`${world.latchkey.issuer}/jwks`)).json()) as { keys: JWK[] }).keys;
});
afterAll(() => world.close());

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (part = ""): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;

/** HS256 with a public key as the secret, in the spellings that a mistaken verifier might use. */
function signWithPublicKey(payload: JWTPayload, key: JWK, typ: string): readonly string[] {
  const input = `${encode({ alg: "HS256", typ, kid: key.kid })}.${encode(payload)}`;
  const secrets = [JSON.stringify(key), key.n ?? key.x ?? "", Buffer.from(key.n ?? key.x ?? "", "base64url")];
  return secrets.map((secret) => `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`);
}

/** Everything that a forger without our keys can make of a payload. */
async function forgeriesOf(payload: JWTPayload, typ: string): Promise<readonly string[]> {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = await exportJWK(publicKey);
  const sign = (header: Record<string, unknown>): Promise<string> =>
    new SignJWT(payload).setProtectedHeader({ alg: "RS256", typ, ...header }).sign(privateKey);
  const kid = serverKeys.find(({ alg }) => alg === "RS256")?.kid ?? "";
  const none = new UnsecuredJWT(payload).encode();
  return [
    none,
    `${encode({ alg: "none", typ, kid })}.${encode(payload)}.`,
    `${encode({ alg: "None", typ, kid })}.${encode(payload)}.`,
    `${encode({ alg: "RS256", typ, kid })}.${encode(payload)}.`,
    ...serverKeys.flatMap((key) => signWithPublicKey(payload, key, typ)),
    await sign({}),
    await sign({ kid }),
    await sign({ jwk }),
    await sign({ kid, jwk }),
    await sign({ kid, jku: "https://mallory.example.com/jwks" }),
    await sign({ kid: "../../../../dev/null" }),
    await sign({ kid: "' or 1=1 --" }),
    await sign({ kid, x5u: "https://mallory.example.com/cert" }),
  ];
}

test("no forged ID token is a hint, at authorization or at sign-out [ASVS 9.1]", async () => {
  const [, payload] = tokens.idToken.split(".");
  const browser = world.openBrowser();
  await signInAs(browser, alice, world.latchkey.issuer);
  const tampered = tokens.idToken.split(".");
  const changed = [tampered[0], encode({ ...decode(payload), sub: "somebody-else" }), tampered[2]].join(".");
  for (const forged of [...(await forgeriesOf(decode(payload), "JWT")), changed, "a.b.c", "x"]) {
    const request = await world.apps.notesWeb.begin({ prompt: "none", id_token_hint: forged });
    const { url } = await browser.open(request.url);
    expect(url.searchParams.get("error")).toBe("invalid_request");
    const endSession = new URL(world.server.end_session_endpoint ?? "");
    endSession.search = new URLSearchParams({
      id_token_hint: forged,
      post_logout_redirect_uri: "https://notes.example.com/bye",
    }).toString();
    const response = await fetch(endSession, { redirect: "manual" });
    expect([400, 401]).toContain(response.status);
    expect(response.headers.get("location")).toBeNull();
  }
});

test("an access token is no hint: its type is another [ASVS 9.2.2]", async () => {
  const endSession = new URL(world.server.end_session_endpoint ?? "");
  endSession.search = new URLSearchParams({ id_token_hint: tokens.jwtAccessToken }).toString();
  const response = await fetch(endSession, { redirect: "manual" });
  expect(response.status).toBe(400);
});

test("userinfo takes nothing but its own access tokens [ASVS 9.2.2]", async () => {
  const [, payload] = tokens.jwtAccessToken.split(".");
  const forged = await forgeriesOf(decode(payload), "at+jwt");
  for (const token of [...forged, tokens.idToken, tokens.jwtAccessToken, "", "null", "x".repeat(5_000)]) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${world.latchkey.issuer}/userinfo`, { headers });
    expect([400, 401]).toContain(response.status);
    expect(await response.text()).not.toContain(alice.email);
  }
  const good = { authorization: `Bearer ${tokens.accessToken}` };
  expect((await fetch(`${world.latchkey.issuer}/userinfo`, { headers: good })).status).toBe(200);
});

test("no forged access token is active, or ends a genuine one [RFC 7662 4] [RFC 9068 4]", async () => {
  const orders = await addService(world.latchkey, ordersService);
  const [, payload] = tokens.jwtAccessToken.split(".");
  const claims = decode(payload);
  const forged = await forgeriesOf(claims, "at+jwt");
  const ask = async (token: string) =>
    (await post(world.latchkey, "/introspect", { caller: orders, parameters: { token } })).body;
  for (const token of [...forged, tokens.idToken, tokens.accessToken, "a.b.c", "null", "x".repeat(5_000)]) {
    expect(await ask(token)).toEqual({ active: false });
    const revoked = await post(world.latchkey, "/revoke", { caller: { id: "shopWeb" }, parameters: { token } });
    expect(revoked).toMatchObject({ status: 200, body: "" });
  }
  expect(await ask(tokens.jwtAccessToken)).toMatchObject({ active: true, jti: claims["jti"] });
});

describe("a client assertion [RFC 7523 3]", () => {
  const claims = (changes: JWTPayload = {}): JWTPayload => ({
    iss: "deskKey",
    sub: "deskKey",
    aud: world.latchkey.issuer,
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1000),
    exp: Math.floor(Date.now() / 1000) + 60,
    ...changes,
  });

  const answerTo = async (assertion: string): Promise<string> => {
    // From places of their own: a client that fails so often from one is refused unheard.
    const response = await fetch(`${world.latchkey.issuer}/token`, {
      method: "POST",
      headers: fromAnywhere(),
      body: new URLSearchParams({
        grant_type: "refresh_token",
        refresh_token: "x",
        client_assertion: assertion,
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      }),
    });
    return ((await response.json()) as { error: string }).error;
  };

  const signed = (payload: JWTPayload, header: Record<string, unknown> = {}): Promise<string> =>
    new SignJWT(payload).setProtectedHeader({ alg: "ES256", kid: "desk", ...header }).sign(world.deskPrivateKey);

  test("that is genuine is accepted, once", async () => {
    const assertion = await signed(claims());
    expect(await answerTo(assertion)).toBe("invalid_grant");
    expect(await answerTo(assertion)).toBe("invalid_client");
  });

  test("that lasts an hour, or ends at a fraction of a second, is accepted, once", async () => {
    const now = Math.floor(Date.now() / 1000);
    for (const exp of [now + 60 * 60 - 1, now + 60.5]) {
      const assertion = await signed(claims({ exp }));
      expect(await answerTo(assertion)).toBe("invalid_grant");
      expect(await answerTo(assertion)).toBe("invalid_client");
    }
  });

  test("that is forged is refused", async () => {
    for (const forged of await forgeriesOf(claims(), "JWT")) expect(await answerTo(forged)).toBe("invalid_client");
  });

  test.each([
    ["for another audience", { aud: "https://mallory.example.com" }],
    ["that has expired", { exp: Math.floor(Date.now() / 1000) - 120 }],
    ["that names another subject", { sub: "deskPost" }],
    ["without an end", { exp: undefined }],
    ["that ends in more than an hour", { exp: Math.floor(Date.now() / 1000) + 60 * 60 + 60 }],
    ["that ends in the year 287 396", { exp: 9e12 }],
    ["that hardly ever ends", { exp: 1e18 }],
    ["without an id", { jti: undefined }],
  ])("%s is refused", async (_title, changes) => {
    expect(await answerTo(await signed(claims(changes as JWTPayload)))).toMatch(/invalid_(client|request)/);
  });
});

test("a DPoP proof that is forged or for something else is refused [RFC 9449 4.3]", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(publicKey);
  const htu = world.server.token_endpoint ?? "";
  const now = Math.floor(Date.now() / 1000);
  const claims = (changes = {}): JWTPayload => ({ htm: "POST", htu, jti: randomUUID(), iat: now, ...changes });
  const prove = (payload: JWTPayload, header = {}): Promise<string> =>
    new SignJWT(payload).setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk, ...header }).sign(privateKey);
  const proofs = [
    ...(await forgeriesOf(claims(), "dpop+jwt")).filter((proof) => decode(proof.split(".")[0])["jwk"] === undefined),
    await prove(claims(), { typ: "JWT" }),
    await prove(claims(), { jwk: await exportJWK(privateKey) }),
    await prove(claims({ htm: "GET" })),
    await prove(claims({ htu: `${world.latchkey.issuer}/userinfo` })),
    await prove(claims({ htu: "https://mallory.example.com/token" })),
    await prove(claims({ iat: now - 600 })),
    await prove(claims({ iat: now + 600 })),
    await prove(claims({ jti: undefined })),
    "x",
  ];
  for (const dpop of proofs) {
    const response = await fetch(htu, {
      method: "POST",
      headers: { dpop },
      body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: "x", client_id: "walletWeb" }),
    });
    expect(await response.json()).toMatchObject({ error: "invalid_dpop_proof" });
  }
});

test("a request object is taken nowhere, signed or not", async () => {
  const [object = ""] = await forgeriesOf(
    { client_id: "notesWeb", redirect_uri: "https://mallory.example.com" },
    "JWT",
  );
  const { url } = await world.apps.notesWeb.begin({ request: object });
  const response = await fetch(url, { redirect: "manual" });
  expect(response.headers.get("location") ?? "").not.toContain("mallory");
  expect(`${response.headers.get("location")}`).toContain("error=request_not_supported");
  const body = new URLSearchParams({ client_id: "bankWeb", request: object });
  const pushed = await fetch(`${world.latchkey.issuer}/par`, { method: "POST", body });
  expect(pushed.status).toBe(400);
  for (const uri of ["https://mallory.example.com/request", "http://169.254.169.254/", "file:///etc/passwd"]) {
    const byReference = await world.apps.notesWeb.begin({ request_uri: uri });
    const refused = await fetch(byReference.url, { redirect: "manual" });
    expect(refused.headers.get("location")).toContain("error=request_uri_not_supported");
  }
});
