import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  createSoftwareAuthenticator,
  type Deviations,
  type SoftwareAuthenticator,
} from "../support/software-authenticator.ts";
import { countOutcomes, type FactorsScene, freshSource, openScene, race, type Person } from "./factors-scene.ts";
import type { RevocationGround } from "./revocations.contract.ts";

const HOUR_SECONDS = 3_600;
const REFUSED = { outcome: "refused" };
const BINDING = "uid-1";

/** What passkeys do, on every database, with an authenticator that can be made to lie. */
export function passkeysContract(openGround: () => Promise<RevocationGround>): void {
  const scene = openScene(openGround);
  describe("making a passkey", () => {
    registration(scene);
  });
  describe("using a passkey", () => {
    verification(scene);
  });
}

async function register(
  { near }: FactorsScene,
  person: Person,
  { authenticator, deviations }: { readonly authenticator: SoftwareAuthenticator; readonly deviations?: Deviations },
) {
  const options = await near.passkeys.creationOptions(person, BINDING);
  const response = authenticator.create(options, deviations);
  return near.passkeys.register(person.id, { binding: BINDING, response, name: "Laptop", source: freshSource() });
}

async function addKeyHolder(scene: FactorsScene, isSynced = true) {
  const [person, authenticator] = [await scene.addPerson(), createSoftwareAuthenticator({ isSynced })];
  expect(await register(scene, person, { authenticator })).toEqual({ outcome: "accepted", isSynced });
  return { ...person, authenticator };
}

async function use(
  { near }: FactorsScene,
  authenticator: SoftwareAuthenticator,
  { deviations, accountId }: { readonly deviations?: Deviations; readonly accountId?: string } = {},
) {
  const response = authenticator.get(await near.passkeys.requestOptions(BINDING, accountId), deviations);
  return near.passkeys.verify({ binding: BINDING, response, accountId, source: freshSource() });
}

function registration(scene: () => FactorsScene): void {
  test("asks for one that is discoverable, verifies its person, attests nothing and is not there yet", async () => {
    const alice = await addKeyHolder(scene());
    expect(await scene().near.passkeys.creationOptions(alice, BINDING)).toMatchObject({
      rp: { id: "id.example.com", name: "Acme" },
      user: { id: Buffer.from(alice.id).toString("base64url"), name: alice.email, displayName: "Alice" },
      attestation: "none",
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      excludeCredentials: [{ id: alice.authenticator.credentialId, transports: ["hybrid", "internal"] }],
    });
  });

  test("tells what the maker says of it, and brings recovery codes along as the first factor", async () => {
    const { near, eventsOf } = scene();
    const alice = await addKeyHolder(scene());
    expect(await near.overview(alice.id)).toMatchObject({
      passkeys: [
        {
          id: alice.authenticator.credentialId,
          name: "Laptop",
          lastUsedAt: undefined,
          isSynced: true,
          isBackedUp: true,
          authenticator: "Google Password Manager",
        },
      ],
      recoveryCodes: { left: 10, isUnconfirmed: true },
    });
    expect(await eventsOf(alice.id)).toEqual(["factor_enrolled passkey", "recovery_codes_made"]);
    await register(scene(), alice, { authenticator: createSoftwareAuthenticator() });
    expect((await eventsOf(alice.id)).filter((event) => event === "recovery_codes_made")).toHaveLength(1);
  });

  test.each<[string, Deviations, string]>([
    ["on another origin", { origin: "https://id.example.com.evil.example" }, "not_verified"],
    ["on plain http", { origin: "http://id.example.com" }, "not_verified"],
    ["for another place", { rpId: "evil.example" }, "not_verified"],
    ["without verifying the person", { isVerified: false }, "not_verified"],
    ["without the person", { isPresent: false }, "not_verified"],
    ["by another challenge", { challenge: "A".repeat(72) }, "challenge_refused"],
    ["as a use", { type: "webauthn.get" }, "challenge_refused"],
    [
      "with certificates, which would be looked up at addresses of their own choosing",
      { attestation: { format: "packed", statement: new Map([["x5c", [Buffer.alloc(8)]]]) } },
      "attestation_unwanted",
    ],
    [
      "with an attestation that makes the server work",
      { attestation: { format: "android-safetynet", statement: new Map([["ver", "1"]]) } },
      "attestation_unwanted",
    ],
  ])("is refused %s [WebAuthn 7.1]", async (_, deviations, reason) => {
    const { near, addPerson, eventsOf } = scene();
    const alice = await addPerson();
    expect(await register(scene(), alice, { authenticator: createSoftwareAuthenticator(), deviations })).toEqual(
      REFUSED,
    );
    expect((await near.overview(alice.id)).passkeys).toEqual([]);
    expect(await eventsOf(alice.id)).toEqual([`passkey_failed ${reason}`]);
  });

  test("is refused for another account, another page, too late, and a second time", async () => {
    const { near, clock, addPerson } = scene();
    const [alice, bob] = [await addPerson(), await addPerson()];
    const options = await near.passkeys.creationOptions(alice, BINDING);
    const attemptOf = () => ({
      binding: BINDING,
      response: createSoftwareAuthenticator().create(options),
      name: "Laptop",
      source: freshSource(),
    });
    expect(await near.passkeys.register(bob.id, attemptOf())).toEqual(REFUSED);
    expect(await near.passkeys.register(alice.id, { ...attemptOf(), binding: "uid-2" })).toEqual(REFUSED);
    expect(await near.passkeys.register(alice.id, attemptOf())).toMatchObject({ outcome: "accepted" });
    expect(await near.passkeys.register(alice.id, attemptOf())).toEqual(REFUSED);
    const late = {
      ...attemptOf(),
      response: createSoftwareAuthenticator().create(await near.passkeys.creationOptions(alice, BINDING)),
    };
    clock.passSeconds(HOUR_SECONDS);
    expect(await near.passkeys.register(alice.id, late)).toEqual(REFUSED);
    expect((await near.overview(alice.id)).passkeys).toHaveLength(1);
  });

  test("of an id that is there is refused: the passkey stays whose it is", async () => {
    const alice = await addKeyHolder(scene());
    const mallory = await scene().addPerson();
    const authenticator = createSoftwareAuthenticator({ credentialId: alice.authenticator.credentialId });
    expect(await register(scene(), mallory, { authenticator })).toEqual(REFUSED);
    expect(await register(scene(), alice, { authenticator })).toEqual(REFUSED);
    expect(await scene().eventsOf(mallory.id)).toEqual(["passkey_failed already_registered"]);
    expect(await use(scene(), alice.authenticator)).toMatchObject({ outcome: "accepted", accountId: alice.id });
  });

  test("ends at the twentieth of an account", async () => {
    const alice = await scene().addPerson();
    for (let count = 0; count < 20; count += 1) {
      await register(scene(), alice, { authenticator: createSoftwareAuthenticator() });
    }
    expect((await scene().near.overview(alice.id)).passkeys).toHaveLength(20);
    await expect(scene().near.passkeys.creationOptions(alice, BINDING)).rejects.toMatchObject({
      code: "FACTOR_LIMIT_REACHED",
    });
  });

  test.each(["", "{}", "null", "[1]", "x".repeat(20_000), JSON.stringify({ id: "a", rawId: "a", type: "public-key" })])(
    "is refused, and fails nowhere, when the browser sends %j",
    async (response) => {
      const { near, addPerson } = scene();
      const alice = await addPerson();
      const attempt = { binding: BINDING, response, name: "Laptop", source: freshSource() };
      expect(await near.passkeys.register(alice.id, attempt)).toEqual(REFUSED);
      expect(await near.passkeys.verify(attempt)).toEqual(REFUSED);
    },
  );
}

function verification(scene: () => FactorsScene): void {
  test("finds the account, and says of which kind the passkey is", async () => {
    for (const [isSynced, proof] of [
      [true, "passkey_swk"],
      [false, "passkey_hwk"],
    ] as const) {
      const alice = await addKeyHolder(scene(), isSynced);
      const accepted = { outcome: "accepted", accountId: alice.id, proof };
      expect(await use(scene(), alice.authenticator)).toEqual(accepted);
      expect(await use(scene(), alice.authenticator, { accountId: alice.id })).toEqual(accepted);
      expect(await use(scene(), alice.authenticator, { deviations: { userHandle: undefined } })).toEqual(accepted);
      expect((await scene().near.overview(alice.id)).passkeys).toMatchObject([
        { lastUsedAt: new Date(scene().clock.nowMs()), isBackedUp: isSynced },
      ]);
      expect((await scene().eventsOf(alice.id)).at(-1)).toBe("factor_verified passkey");
    }
  });

  test("names the account's passkeys where the account is known, and none where it is not", async () => {
    const alice = await addKeyHolder(scene());
    const options = await scene().near.passkeys.requestOptions(BINDING, alice.id);
    expect(options).toMatchObject({
      rpId: "id.example.com",
      userVerification: "required",
      allowCredentials: [{ id: alice.authenticator.credentialId }],
    });
    expect(await scene().near.passkeys.requestOptions(BINDING)).toMatchObject({ allowCredentials: [] });
  });

  test.each<[string, Deviations, string]>([
    ["on another origin", { origin: "https://evil.example" }, "not_verified"],
    ["for another place", { rpId: "evil.example" }, "not_verified"],
    ["without verifying the person", { isVerified: false }, "not_verified"],
    ["without the person", { isPresent: false }, "not_verified"],
    ["by another challenge", { challenge: "A".repeat(72) }, "challenge_refused"],
    ["by another key", { privateKey: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey }, "not_verified"],
    ["in another person's name", { userHandle: Buffer.from("mallory").toString("base64url") }, "other_account"],
    ["in nobody's name", { userHandle: "" }, "other_account"],
    ["as one of another kind", { isSynced: false }, "kind_changed"],
    ["as the making of one", { type: "webauthn.create" }, "challenge_refused"],
  ])("is refused %s [WebAuthn 7.2]", async (_, deviations, reason) => {
    const alice = await addKeyHolder(scene());
    expect(await use(scene(), alice.authenticator, { deviations })).toEqual(REFUSED);
    expect((await scene().eventsOf(alice.id)).at(-1)).toBe(`passkey_failed ${reason}`);
    expect(await use(scene(), alice.authenticator)).toMatchObject({ outcome: "accepted" });
  });

  test("is refused for another account than the one that is asked", async () => {
    const [alice, bob] = [await addKeyHolder(scene()), await addKeyHolder(scene())];
    expect(await use(scene(), bob.authenticator, { accountId: alice.id })).toEqual(REFUSED);
  });

  test("is refused on another page, too late, and when it was removed", async () => {
    const { near, clock } = scene();
    const alice = await addKeyHolder(scene());
    const answer = async () => ({
      binding: BINDING,
      response: alice.authenticator.get(await near.passkeys.requestOptions(BINDING)),
      source: freshSource(),
    });
    expect(await near.passkeys.verify({ ...(await answer()), binding: "uid-2" })).toEqual(REFUSED);
    const late = await answer();
    clock.passSeconds(HOUR_SECONDS);
    expect(await near.passkeys.verify(late)).toEqual(REFUSED);
    await near.remove(alice.id, alice.authenticator.credentialId, freshSource());
    expect(await near.passkeys.verify(await answer())).toEqual(REFUSED);
  });

  test("answers the challenge of a use, never that of a making", async () => {
    const { near } = scene();
    const alice = await addKeyHolder(scene());
    const { challenge } = (await near.passkeys.creationOptions(alice, BINDING)) as { challenge: string };
    expect(await use(scene(), alice.authenticator, { deviations: { challenge } })).toEqual(REFUSED);
    expect((await scene().eventsOf(alice.id)).at(-1)).toBe("passkey_failed challenge_refused");
  });

  test.each([true, false])("is accepted once of 20 parallel answers over two nodes (synced: %s)", async (isSynced) => {
    const { near } = scene();
    const alice = await addKeyHolder(scene(), isSynced);
    const response = alice.authenticator.get(await near.passkeys.requestOptions(BINDING));
    const outcomes = await race(scene(), 20, (node) =>
      node.passkeys.verify({ binding: BINDING, response, source: freshSource() }),
    );
    expect(countOutcomes(outcomes)).toEqual({ accepted: 1, refused: 19 });
    const events = await scene().eventsOf(alice.id);
    expect(events.filter((event) => event === "passkey_failed challenge_replayed")).toHaveLength(19);
    expect(events.filter((event) => event === "passkey_clone_suspected")).toEqual([]);
  });

  test("whose counter does not grow is refused as a copy [WebAuthn 6.1.1]", async () => {
    const { eventsOf } = scene();
    const alice = await addKeyHolder(scene(), false);
    expect(await use(scene(), alice.authenticator, { deviations: { counter: 7 } })).toMatchObject({
      outcome: "accepted",
    });
    for (const counter of [7, 6, 0]) {
      expect(await use(scene(), alice.authenticator, { deviations: { counter } })).toEqual(REFUSED);
      expect((await eventsOf(alice.id)).at(-1)).toBe("passkey_clone_suspected");
    }
    expect(await use(scene(), alice.authenticator, { deviations: { counter: 8 } })).toMatchObject({
      outcome: "accepted",
    });
  });

  test("that fails again and again from one network fills no log", async () => {
    const { near, audit } = scene();
    const alice = await addKeyHolder(scene());
    const address = freshSource().address;
    for (let count = 0; count < 12; count += 1) {
      const response = alice.authenticator.get(await near.passkeys.requestOptions(BINDING), { isVerified: false });
      expect(await near.passkeys.verify({ binding: BINDING, response, source: { address } })).toEqual(REFUSED);
    }
    expect(await audit.list({ accountId: alice.id, type: "passkey_failed", limit: 100 })).toHaveLength(5);
    const right = alice.authenticator.get(await near.passkeys.requestOptions(BINDING));
    expect(await near.passkeys.verify({ binding: BINDING, response: right, source: { address } })).toMatchObject({
      outcome: "accepted",
    });
  });
}
