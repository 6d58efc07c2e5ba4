import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type SignatureAlgorithm, SIGNATURE_ALGORITHMS } from "../../../src/clients/index.ts";
import { createLocalSigner } from "../../../src/oidc/keys/local-signer.ts";
import type { ExternalKeys } from "../../../src/oidc/index.ts";
import { alice } from "../../support/cast.ts";
import { authorizeAs } from "../../support/journeys.ts";
import { newSecret } from "../../support/latchkey.ts";
import { startTimeTravel } from "../../support/time-travel.ts";
import { createWorld, type World } from "../../support/world.ts";

/** Far beyond the time in which a retry of a refresh gets the same successor. */
const OUTAGE_SECONDS = 600;
const FOR_ORDERS = { scope: "openid orders:read" };

/** A KMS in this process: it takes its time, and fails when the test says so. */
function createFakeKms() {
  const keys = new Map<string, KeyObject>();
  const kms = { failEvery: 0, isAway: false, isSilent: false, signatures: 0, keys };
  const externalKeys: ExternalKeys = {
    async create(algorithm) {
      const { publicKey, privateKey } = generate(algorithm);
      const reference = `projects/test/keys/${randomUUID()}`;
      keys.set(reference, privateKey);
      return { reference, publicKey };
    },
    async sign({ reference, algorithm }, data) {
      kms.signatures += 1;
      if (kms.isSilent) return new Promise(() => undefined);
      await delay(kms.signatures % 20);
      if (kms.isAway || (kms.failEvery > 0 && kms.signatures % kms.failEvery === 0)) {
        throw new Error("kms: deadline exceeded for projects/test");
      }
      const key = keys.get(reference);
      if (key === undefined) throw new Error("kms: there is no such key");
      if (algorithm === "EdDSA") return sign(null, data, key);
      return createLocalSigner(algorithm, key.export({ format: "jwk" })).sign(data);
    },
    async forget(reference) {
      keys.delete(reference);
    },
  };
  return { kms, externalKeys };
}

function generate(algorithm: SignatureAlgorithm) {
  if (algorithm === "ES256") return generateKeyPairSync("ec", { namedCurve: "P-256" });
  return algorithm === "EdDSA" ? generateKeyPairSync("ed25519") : generateKeyPairSync("rsa", { modulusLength: 2_048 });
}

/** With a secret of its own the server begins without keys. */
function openWorld(externalKeys: ExternalKeys): Promise<World> {
  const lasting = { SESSION_IDLE_SECONDS: "31536000", SESSION_MAX_SECONDS: "31536000" };
  return createWorld({ stores: "postgres", externalKeys, settings: { ...lasting, LATCHKEY_SECRET: newSecret() } });
}

describe("keys that lie elsewhere", () => {
  const { kms, externalKeys } = createFakeKms();
  let world: World;
  beforeAll(async () => {
    world = await openWorld(externalKeys);
  });
  afterAll(() => world.close());
  afterEach(() => {
    Object.assign(kms, { failEvery: 0, isAway: false, isSilent: false });
  });

  const signIn = () => world.apps.shopWeb.signIn(world.openBrowser(), alice, FOR_ORDERS);

  test("sign what every client accepts, and the database has nothing of them but their names", async () => {
    await expect(signIn()).resolves.toBeDefined();
    const { rows } = await sql<{ reference: string; sealed: unknown }>`
      select external_reference as reference, sealed_private_jwk as sealed from oidc_signing_keys`.execute(
      world.latchkey.database.db,
    );
    expect(rows).toHaveLength(2 * SIGNATURE_ALGORITHMS.length);
    for (const { reference, sealed } of rows) {
      expect(kms.keys.has(reference)).toBe(true);
      expect(sealed).toBeNull();
    }
  });

  test("a signature that fails is 503 with a time to come back, and says nothing of what failed", async () => {
    const { refreshToken } = await signIn();
    kms.isAway = true;
    const response = await world.apps.shopWeb.requestRefresh(refreshToken);
    expect(response.status).toBe(503);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ error: "temporarily_unavailable" });
    expect(body).not.toMatch(/kms|token"|projects/);
  });

  test("an app that refreshed while no signature was to be had refreshes when it is over, however long it took", async () => {
    const { refreshToken } = await signIn();
    const travel = startTimeTravel();
    kms.isAway = true;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect((await world.apps.shopWeb.requestRefresh(refreshToken)).status).toBe(503);
    }
    travel.advanceSeconds(OUTAGE_SECONDS);
    kms.isAway = false;
    const { refreshToken: successor } = await world.apps.shopWeb.refresh(refreshToken);
    expect(successor).not.toBe(refreshToken);
    await expect(world.apps.shopWeb.refresh(successor)).resolves.toBeDefined();
  });

  test("a place that is slow and sometimes fails costs some requests a second try, and nobody the sign-in", async () => {
    const families = await Promise.all([signIn(), signIn(), signIn()]);
    kms.failEvery = 5;
    const statuses = new Set<number>();
    for (const family of families) {
      let { refreshToken } = family;
      for (let round = 0; round < 8; round += 1) {
        const response = await world.apps.shopWeb.requestRefresh(refreshToken);
        statuses.add(response.status);
        const body = (await response.json()) as { readonly refresh_token?: string };
        refreshToken = body.refresh_token ?? refreshToken;
      }
    }
    expect(statuses).toEqual(new Set([200, 503]));
  });

  test("a code for which nothing could be signed is spent, and signing in again works", async () => {
    const { shopWeb } = world.apps;
    const browser = world.openBrowser();
    const request = await shopWeb.begin(FOR_ORDERS);
    const { url } = await authorizeAs(browser, alice, request.url);
    kms.isAway = true;
    expect((await shopWeb.redeem(request, url)).status).toBe(503);
    kms.isAway = false;
    const again = await shopWeb.redeem(request, url);
    expect([again.status, ((await again.json()) as { error: string }).error]).toEqual([400, "invalid_grant"]);
    const silent = await shopWeb.begin({ ...FOR_ORDERS, prompt: "none" });
    await expect(shopWeb.complete(silent, (await browser.open(silent.url)).url)).resolves.toBeDefined();
  });

  test("a place that never answers is not waited for", async () => {
    const { refreshToken } = await signIn();
    kms.isSilent = true;
    const startedAt = performance.now();
    expect((await world.apps.shopWeb.requestRefresh(refreshToken)).status).toBe(503);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });
});

// In a world of its own: apps keep the key set for a minute, and these keys are new to everybody.
test("an emergency makes keys where they lie, and what nobody needs any more is forgotten there", async () => {
  const { kms, externalKeys } = createFakeKms();
  const world = await openWorld(externalKeys);
  onTestFinished(() => world.close());
  const before = new Set(kms.keys.keys());
  await world.latchkey.signingKeys.replace({ nextToo: true });
  expect(kms.keys.size).toBe(2 * SIGNATURE_ALGORITHMS.length);
  for (const reference of kms.keys.keys()) expect(before.has(reference)).toBe(false);
  await expect(world.apps.shopWeb.signIn(world.openBrowser(), alice, FOR_ORDERS)).resolves.toBeDefined();
});
