import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import {
  addDevice,
  countOutcomes,
  type FactorsScene,
  freshSource,
  openScene,
  race,
  readApp,
  SIGN_IN,
  STEP_SECONDS,
  wrongCodeFor,
} from "./factors-scene.ts";
import type { RevocationGround } from "./revocations.contract.ts";

const MINUTE_SECONDS = 60;
const PARALLEL = 200;

/** What authenticator apps do, and what limits guessing, on every database. */
export function totpContract(openGround: () => Promise<RevocationGround>): void {
  const scene = openScene(openGround);
  describe("adding an authenticator app", () => {
    enrollment(scene);
  });
  describe("a code of an app", () => {
    codes(scene);
  });
  describe("guessing codes", () => {
    guessing(scene);
  });
}

function enrollment(scene: () => FactorsScene): void {
  test("shows the same secret for half an hour, and another one then", async () => {
    const { near, far, clock, addPerson } = scene();
    const alice = await addPerson();
    const first = await near.totp.beginEnrollment(alice, SIGN_IN);
    expect(first.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(first.uri).toMatch(/^otpauth:\/\/totp\/Acme:alice%40example\.com\?/);
    clock.passSeconds(30 * MINUTE_SECONDS - 1);
    expect(await far.totp.beginEnrollment(alice, SIGN_IN)).toEqual(first);
    clock.passSeconds(1);
    const attempt = { binding: SIGN_IN, code: "123456", name: "Phone", source: freshSource() };
    expect(await near.totp.confirmEnrollment(alice.id, attempt)).toEqual({ outcome: "expired" });
    expect((await near.totp.beginEnrollment(alice, SIGN_IN)).secret).not.toBe(first.secret);
  });

  test("shows one secret, however many pages ask for it at once", async () => {
    const { addPerson } = scene();
    const alice = await addPerson();
    const shown = await race(scene(), 20, (node) => node.totp.beginEnrollment(alice, SIGN_IN));
    expect(new Set(shown.map(({ secret }) => secret)).size).toBe(1);
  });

  test("shows every sign-in another secret, and confirms none in the place of another", async () => {
    const { near, clock, addPerson } = scene();
    const alice = await addPerson();
    const [shown, other] = [
      await near.totp.beginEnrollment(alice, SIGN_IN),
      await near.totp.beginEnrollment(alice, "interaction-2"),
    ];
    expect(other.secret).not.toBe(shown.secret);
    const attempt = { binding: "interaction-2", name: "Phone", source: freshSource() };
    const foreign = await near.totp.confirmEnrollment(alice.id, { ...attempt, code: readApp(shown.secret, clock)() });
    expect(foreign).toMatchObject({ outcome: "refused" });
    const own = await near.totp.confirmEnrollment(alice.id, { ...attempt, code: readApp(other.secret, clock)() });
    expect(own).toEqual({ outcome: "accepted" });
  });

  test("is confirmed by a code, which then works for no sign-in, nor a second time", async () => {
    const { near, clock, addPerson, eventsOf } = scene();
    const alice = await addPerson();
    const { code } = await addDevice({ near, clock }, alice);
    const attempt = { binding: SIGN_IN, code: code(), name: "Phone", source: freshSource() };
    expect(await near.totp.verify(alice.id, attempt)).toMatchObject({ outcome: "refused" });
    expect(await near.totp.confirmEnrollment(alice.id, attempt)).toEqual({ outcome: "expired" });
    expect(await near.totp.verify(alice.id, { ...attempt, code: code(-1) })).toMatchObject({ outcome: "refused" });
    expect(await near.totp.verify(alice.id, { ...attempt, code: code(1) })).toEqual({ outcome: "accepted" });
    expect(await eventsOf(alice.id)).toEqual([
      "factor_enrolled totp",
      "recovery_codes_made",
      "factor_failed totp replayed_code",
      "factor_failed totp replayed_code",
      "factor_verified totp",
    ]);
  });

  test("has one winner among parallel confirmations", async () => {
    const { near, far, addPerson, clock } = scene();
    const bob = await addPerson();
    const code = readApp((await near.totp.beginEnrollment(bob, SIGN_IN)).secret, clock)();
    const outcomes = await Promise.all(
      [near, far, near, far].map((node) =>
        node.totp.confirmEnrollment(bob.id, { binding: SIGN_IN, code, name: "Phone", source: freshSource() }),
      ),
    );
    expect(countOutcomes(outcomes)).toMatchObject({ accepted: 1 });
    expect((await near.overview(bob.id)).totpDevices).toHaveLength(1);
  });

  test.each(["", "   ", "\u200B", "a".repeat(61), "evil\u202Egnp.exe"])("refuses the name %j", async (name) => {
    const { near, addPerson } = scene();
    const alice = await addPerson();
    await near.totp.beginEnrollment(alice, SIGN_IN);
    const refused = near.totp.confirmEnrollment(alice.id, {
      binding: SIGN_IN,
      code: "123456",
      name,
      source: freshSource(),
    });
    await expect(refused).rejects.toMatchObject({ code: "INPUT_INVALID" });
  });

  test("counts wrong first codes like all others", async () => {
    const { near, addPerson } = scene();
    const alice = await addPerson();
    await near.totp.beginEnrollment(alice, SIGN_IN);
    const attempt = { binding: SIGN_IN, code: "not a code", name: "Phone", source: freshSource() };
    for (let count = 0; count < 5; count += 1) {
      expect(await near.totp.confirmEnrollment(alice.id, attempt)).toMatchObject({ outcome: "refused" });
    }
    expect(await near.totp.confirmEnrollment(alice.id, attempt)).toMatchObject({ outcome: "paused" });
  });

  test("ends at the tenth app of an account", async () => {
    const { near, clock, addPerson } = scene();
    const alice = await addPerson();
    for (let count = 0; count < 10; count += 1) await addDevice({ near, clock }, alice);
    await expect(near.totp.beginEnrollment(alice, SIGN_IN)).rejects.toMatchObject({ code: "FACTOR_LIMIT_REACHED" });
  });

  test("of several apps accepts the codes of each", async () => {
    const { near, clock, addHolder } = scene();
    const alice = await addHolder();
    const second = await addDevice({ near, clock }, alice);
    clock.passSeconds(2 * STEP_SECONDS);
    for (const code of [alice.code(), second.code()]) {
      expect(await near.totp.verify(alice.id, { code, source: freshSource() })).toEqual({ outcome: "accepted" });
    }
    expect((await near.overview(alice.id)).totpDevices.map(({ lastUsedAt }) => lastUsedAt?.getTime())).toEqual([
      clock.nowMs(),
      clock.nowMs(),
    ]);
  });
}

function codes(scene: () => FactorsScene): void {
  test("submitted 200 times in parallel over two nodes is accepted once [ASVS 6.5.1]", async () => {
    const { addHolder, eventsOf } = scene();
    const alice = await addHolder();
    const code = alice.code();
    const outcomes = await race(scene(), PARALLEL, (node) =>
      node.totp.verify(alice.id, { code, source: freshSource() }),
    );
    expect(countOutcomes(outcomes)["accepted"]).toBe(1);
    expect((await eventsOf(alice.id)).filter((event) => event === "factor_verified totp")).toHaveLength(1);
  });

  test("submitted from 40 known browsers at once is accepted once, though none of them is paused", async () => {
    const { addHolder } = scene();
    const alice = await addHolder();
    const code = alice.code();
    const outcomes = await race(scene(), 40, (node, at) =>
      node.totp.verify(alice.id, {
        code,
        source: freshSource({ knownDevice: `browser-${at}` }),
      }),
    );
    expect(countOutcomes(outcomes)).toEqual({ accepted: 1, refused: 39 });
  });

  test("that was used is refused in every spelling, session and slot [ASVS 6.5.1]", async () => {
    const { near, far, clock, addHolder } = scene();
    const alice = await addHolder();
    const code = alice.code();
    const previous = alice.code(-1);
    const submit = (typed: string) =>
      far.totp.verify(alice.id, { code: typed, source: freshSource({ knownDevice: `browser of ${typed}` }) });
    expect(await near.totp.verify(alice.id, { code, source: freshSource() })).toEqual({ outcome: "accepted" });
    const fullWidth = Array.from(code, (digit) => String.fromCodePoint(0xff10 + Number(digit))).join("");
    const spellings = [code, `${code.slice(0, 3)} ${code.slice(3)}`, ` ${code} `, code.split("").join("-"), fullWidth];
    for (const typed of [...spellings, previous])
      expect(await submit(typed), typed).toMatchObject({ outcome: "refused" });
    clock.passSeconds(STEP_SECONDS);
    expect(await submit(`${code}  `)).toMatchObject({ outcome: "refused" });
    expect(await submit(alice.code())).toEqual({ outcome: "accepted" });
  });

  test("is accepted one step early and one late, not two [ASVS 6.5.5]", async () => {
    const { near, clock, addHolder } = scene();
    const alice = await addHolder();
    clock.passSeconds(10 * STEP_SECONDS);
    const submit = async (steps: number) =>
      (await near.totp.verify(alice.id, { code: alice.code(steps), source: freshSource() })).outcome;
    expect([await submit(-2), await submit(2), await submit(-1), await submit(0), await submit(1)]).toEqual([
      "refused",
      "refused",
      "accepted",
      "accepted",
      "accepted",
    ]);
  });

  test("of another account, or of one that has no app, is refused", async () => {
    const { near, addHolder, addPerson, eventsOf } = scene();
    const [alice, bob, mallory] = [await addHolder(), await addHolder(), await addPerson()];
    for (const { id } of [bob, mallory]) {
      const attempt = { code: alice.code(), source: freshSource() };
      expect(await near.totp.verify(id, attempt)).toMatchObject({ outcome: "refused" });
    }
    expect(await eventsOf(mallory.id)).toEqual(["factor_failed totp wrong_code"]);
  });

  test("of an app that was removed is refused", async () => {
    const { near, addHolder } = scene();
    const alice = await addHolder();
    await near.remove(alice.id, alice.deviceId, freshSource());
    const attempt = { code: alice.code(), source: freshSource() };
    expect(await near.totp.verify(alice.id, attempt)).toMatchObject({ outcome: "refused" });
  });

  test("seals the secret anew where an older LATCHKEY_SECRET had sealed it, and leaves no secret in sight", async () => {
    const { db, clock, factorsWith, addHolder } = scene();
    const alice = await addHolder();
    const [older, newer] = ["s".repeat(32), "t".repeat(32)];
    const attempt = () => ({ code: alice.code(), source: freshSource() });
    await expect(factorsWith([newer]).totp.verify(alice.id, attempt())).rejects.toMatchObject({
      code: "SECRET_UNKNOWN",
    });
    expect(await factorsWith([newer, older]).totp.verify(alice.id, attempt())).toEqual({ outcome: "accepted" });
    clock.passSeconds(STEP_SECONDS);
    expect(await factorsWith([newer]).totp.verify(alice.id, attempt())).toEqual({ outcome: "accepted" });
    const { rows } = await sql<{ secret: Uint8Array }>`
      select secret from totp_devices where account_id = ${alice.id}`.execute(db);
    // Version, key id, IV, 20 bytes of ciphertext, tag.
    expect(rows.map(({ secret }) => secret.length)).toEqual([1 + 4 + 12 + 20 + 16]);
  });

  test("of all apps are sealed anew at once, so that an old LATCHKEY_SECRET can be given up", async () => {
    const { factorsWith, addHolder } = scene();
    const [alice] = [await addHolder(), await addHolder()];
    const [older, newer] = ["s".repeat(32), "t".repeat(32)];
    expect(await factorsWith([newer]).reseal()).toBe(0);
    expect(await factorsWith([newer, older]).reseal()).toBeGreaterThanOrEqual(2);
    expect(await factorsWith([newer, older]).reseal()).toBe(0);
    const attempt = { code: alice.code(), source: freshSource() };
    expect(await factorsWith([newer]).totp.verify(alice.id, attempt)).toEqual({ outcome: "accepted" });
    expect(await factorsWith([older, newer]).reseal()).toBeGreaterThanOrEqual(2);
  });
}

function guessing(scene: () => FactorsScene): void {
  test("is paused after five wrong codes, from whatever source, for 15 minutes [ASVS 6.3.1]", async () => {
    const { near, far, clock, addHolder, eventsOf } = scene();
    const alice = await addHolder();
    const wrong = wrongCodeFor(alice);
    const outcomes = [];
    for (let count = 0; count < 20; count += 1) {
      outcomes.push(await (count % 2 === 0 ? near : far).totp.verify(alice.id, { code: wrong, source: freshSource() }));
    }
    expect(countOutcomes(outcomes)).toEqual({ refused: 5, paused: 15 });
    const submitRight = () => near.totp.verify(alice.id, { code: alice.code(), source: freshSource() });
    expect(await submitRight()).toEqual({ outcome: "paused", retryAfterSeconds: 15 * MINUTE_SECONDS });
    clock.passSeconds(15 * MINUTE_SECONDS - 1);
    expect(await submitRight()).toEqual({ outcome: "paused", retryAfterSeconds: 1 });
    clock.passSeconds(1);
    expect(await submitRight()).toEqual({ outcome: "accepted" });
    const told = (await eventsOf(alice.id)).filter((event) => !/made|enrolled/.test(event));
    expect(told).toEqual([
      ...Array<string>(5).fill("factor_failed totp wrong_code"),
      "factor_paused totp",
      "factor_verified totp",
    ]);
  });

  test("in 200 parallel submissions over two nodes is evaluated five times, and told of once [ASVS 6.3.1]", async () => {
    const { addHolder, eventsOf } = scene();
    const alice = await addHolder();
    const wrong = wrongCodeFor(alice);
    const outcomes = await race(scene(), PARALLEL, (node) =>
      node.totp.verify(alice.id, { code: wrong, source: freshSource() }),
    );
    expect(countOutcomes(outcomes)).toEqual({ refused: 5, paused: PARALLEL - 5 });
    const events = await eventsOf(alice.id);
    expect(events.filter((event) => event === "factor_paused totp")).toHaveLength(1);
    expect(events.filter((event) => event.startsWith("factor_failed"))).toHaveLength(5);
  });

  test("shares its five attempts with recovery codes [ASVS 6.3.4]", async () => {
    const { near, addHolder } = scene();
    const alice = await addHolder();
    const wrong = { code: wrongCodeFor(alice), source: freshSource() };
    const [code = "none"] = (await near.recoveryCodes.reveal(alice.id)) ?? [];
    for (let round = 0; round < 2; round += 1) {
      expect(await near.totp.verify(alice.id, wrong)).toMatchObject({ outcome: "refused" });
      expect(await near.recoveryCodes.verify(alice.id, wrong)).toMatchObject({ outcome: "refused" });
    }
    expect(await near.totp.verify(alice.id, wrong)).toMatchObject({ outcome: "refused" });
    expect(await near.recoveryCodes.verify(alice.id, { ...wrong, code })).toMatchObject({ outcome: "paused" });
    expect(await near.totp.verify(alice.id, { ...wrong, code: alice.code() })).toMatchObject({ outcome: "paused" });
  });

  test("by a stranger does not lock out a browser that is known, nor does that help the stranger", async () => {
    const { near, addHolder, clock } = scene();
    const alice = await addHolder();
    const wrong = wrongCodeFor(alice);
    const atHome = freshSource({ knownDevice: "home" });
    for (let count = 0; count < 6; count += 1) {
      await near.totp.verify(alice.id, { code: wrong, source: freshSource() });
    }
    expect(await near.totp.verify(alice.id, { code: alice.code(), source: atHome })).toEqual({ outcome: "accepted" });
    clock.passSeconds(STEP_SECONDS);
    const right = alice.code();
    expect(await near.totp.verify(alice.id, { code: right, source: freshSource() })).toMatchObject({
      outcome: "paused",
    });
    for (let count = 0; count < 5; count += 1) await near.totp.verify(alice.id, { code: wrong, source: atHome });
    expect(await near.totp.verify(alice.id, { code: right, source: atHome })).toMatchObject({ outcome: "paused" });
  });

  test("waits longer and longer, and ends with a hundred wrong codes, but in a known browser [SP 800-63B-4 3.2.2]", async () => {
    const { near, addHolder, clock } = scene();
    const alice = await addHolder();
    const [code = "none"] = (await near.recoveryCodes.reveal(alice.id)) ?? [];
    const wrong = () => near.totp.verify(alice.id, { code: wrongCodeFor(alice), source: freshSource() });
    const pauses: number[] = [];
    for (let evaluated = 0; evaluated < 100;) {
      const outcome = await wrong();
      if (outcome.outcome === "refused") evaluated += 1;
      if (outcome.outcome !== "paused") continue;
      pauses.push(outcome.retryAfterSeconds / MINUTE_SECONDS);
      clock.passSeconds(outcome.retryAfterSeconds);
    }
    expect(pauses.slice(0, 4)).toEqual([15, 30, 60, 60]);
    clock.passSeconds(24 * 60 * MINUTE_SECONDS);
    const spent = { outcome: "paused", isSpent: true };
    expect(await wrong()).toMatchObject(spent);
    expect(await near.recoveryCodes.verify(alice.id, { code, source: freshSource() })).toMatchObject(spent);
    const right = { code: alice.code(), source: freshSource({ knownDevice: "home" }) };
    expect(await near.totp.verify(alice.id, right)).toEqual({ outcome: "accepted" });
  });

  test("begins at nothing again after a right code", async () => {
    const { near, addHolder, clock } = scene();
    const alice = await addHolder();
    for (let round = 0; round < 3; round += 1) {
      for (let count = 0; count < 4; count += 1) {
        const wrong = { code: wrongCodeFor(alice), source: freshSource() };
        expect(await near.totp.verify(alice.id, wrong)).toMatchObject({ outcome: "refused" });
      }
      const right = { code: alice.code(), source: freshSource() };
      expect(await near.totp.verify(alice.id, right)).toEqual({ outcome: "accepted" });
      clock.passSeconds(STEP_SECONDS);
    }
  });

  test("of one account does not pause another", async () => {
    const { near, addHolder } = scene();
    const [alice, bob] = [await addHolder(), await addHolder()];
    const source = freshSource();
    for (let count = 0; count < 6; count += 1) await near.totp.verify(alice.id, { code: "nonsense", source });
    expect(await near.totp.verify(bob.id, { code: bob.code(), source })).toEqual({ outcome: "accepted" });
  });
}
