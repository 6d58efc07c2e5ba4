import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { addDevice, countOutcomes, type FactorsScene, freshSource, openScene, race, SIGN_IN } from "./factors-scene.ts";
import type { RevocationGround } from "./revocations.contract.ts";

const MINUTE_SECONDS = 60;

/** Recovery codes, and what a person changes about their factors, on every database. */
export function recoveryCodesContract(openGround: () => Promise<RevocationGround>): void {
  const scene = openScene(openGround);
  describe("recovery codes", () => {
    codes(scene);
  });
  describe("a person's factors", () => {
    changes(scene);
  });
}

function codes(scene: () => FactorsScene): void {
  const revealOf = async ({ near }: FactorsScene, accountId: string): Promise<readonly string[]> =>
    (await near.recoveryCodes.reveal(accountId)) ?? [];

  test("come with the first factor, and not again with the second", async () => {
    const { near, clock, addPerson, eventsOf } = scene();
    const alice = await addPerson();
    expect((await near.overview(alice.id)).recoveryCodes).toBeUndefined();
    expect(await near.recoveryCodes.reveal(alice.id)).toBeUndefined();
    await addDevice({ near, clock }, alice);
    const made = await revealOf(scene(), alice.id);
    expect(made).toHaveLength(10);
    await addDevice({ near, clock }, alice);
    expect(await revealOf(scene(), alice.id)).toEqual(made);
    expect((await eventsOf(alice.id)).filter((event) => event === "recovery_codes_made")).toHaveLength(1);
    expect((await near.overview(alice.id)).recoveryCodes).toEqual({
      left: 10,
      total: 10,
      madeAt: new Date(clock.nowMs()),
      isUnconfirmed: true,
    });
  });

  test("are shown until the person has saved them, and for half an hour at the most", async () => {
    const { near, clock, addPerson } = scene();
    const [alice, bob] = [await addPerson(), await addPerson()];
    for (const person of [alice, bob]) await addDevice({ near, clock }, person);
    await near.recoveryCodes.confirmSaved(alice.id);
    expect(await near.recoveryCodes.reveal(alice.id)).toBeUndefined();
    clock.passSeconds(30 * MINUTE_SECONDS - 1);
    expect(await near.recoveryCodes.reveal(bob.id)).toHaveLength(10);
    clock.passSeconds(1);
    expect(await near.recoveryCodes.reveal(bob.id)).toBeUndefined();
    for (const { id } of [alice, bob]) {
      expect((await near.overview(id)).recoveryCodes).toMatchObject({ left: 10, isUnconfirmed: false });
    }
  });

  test("work once each, in any spelling, and say how many are left [ASVS 6.5.1]", async () => {
    const { near, far, addHolder, eventsOf } = scene();
    const alice = await addHolder();
    const [first = "", second = ""] = await revealOf(scene(), alice.id);
    const submit = (code: string) => far.recoveryCodes.verify(alice.id, { code, source: freshSource() });
    expect(await submit(first)).toEqual({ outcome: "accepted", left: 9 });
    for (const typed of [first, first.toUpperCase(), first.replace("-", ""), ` ${first.replace("-", " ")} `]) {
      expect(await submit(typed), typed).toMatchObject({ outcome: "refused" });
    }
    expect(await submit(second.toUpperCase().replace("-", " "))).toEqual({ outcome: "accepted", left: 8 });
    expect((await near.overview(alice.id)).recoveryCodes).toMatchObject({ left: 8, total: 10 });
    expect((await eventsOf(alice.id)).slice(-3)).toEqual([
      "factor_failed recovery_code replayed_code",
      "factor_verified recovery_code",
      "recovery_code_used 8",
    ]);
  });

  test("submitted 100 times in parallel over two nodes are accepted once [ASVS 6.5.1]", async () => {
    const { addHolder, eventsOf } = scene();
    const alice = await addHolder();
    const [code = ""] = await revealOf(scene(), alice.id);
    const outcomes = await race(scene(), 100, (node, at) =>
      node.recoveryCodes.verify(alice.id, {
        code,
        source: freshSource({ knownDevice: `browser-${at}` }),
      }),
    );
    expect(countOutcomes(outcomes)).toEqual({ accepted: 1, refused: 99 });
    expect((await eventsOf(alice.id)).filter((event) => event.startsWith("recovery_code_used"))).toHaveLength(1);
  });

  test("that were replaced are dead, and the new ones are others", async () => {
    const { near, addHolder } = scene();
    const alice = await addHolder();
    const [old = ""] = await revealOf(scene(), alice.id);
    await near.recoveryCodes.replace(alice.id, freshSource());
    const [fresh = ""] = await revealOf(scene(), alice.id);
    const submit = (code: string) => near.recoveryCodes.verify(alice.id, { code, source: freshSource() });
    expect(await submit(old)).toMatchObject({ outcome: "refused" });
    expect(await submit(fresh)).toEqual({ outcome: "accepted", left: 9 });
  });

  test("are not made for an account that has no factor, and are nobody else's", async () => {
    const { near, addHolder, addPerson } = scene();
    const [alice, bob] = [await addHolder(), await addPerson()];
    await expect(near.recoveryCodes.replace(bob.id, freshSource())).rejects.toMatchObject({ code: "FACTOR_NOT_FOUND" });
    const [code = ""] = await revealOf(scene(), alice.id);
    expect(await near.recoveryCodes.verify(bob.id, { code, source: freshSource() })).toMatchObject({
      outcome: "refused",
    });
  });

  test("are stored as keyed digests, work after the secret is rotated, and are in no event", async () => {
    const { audit, db, factorsWith, addHolder } = scene();
    const alice = await addHolder();
    const made = await revealOf(scene(), alice.id);
    const rotated = factorsWith(["t".repeat(32), "s".repeat(32)]);
    const attempt = { code: made[0] ?? "", source: freshSource() };
    expect(await rotated.recoveryCodes.verify(alice.id, attempt)).toMatchObject({ outcome: "accepted" });
    const stored = await sql<{ row: string }>`
      select row_to_json(codes)::text as row from recovery_codes codes where account_id = ${alice.id}
      union all select row_to_json(sets)::text from recovery_code_sets sets where account_id = ${alice.id}`.execute(db);
    const text = JSON.stringify([stored.rows, await audit.list({ accountId: alice.id, limit: 100 })]);
    expect(made.filter((code) => text.includes(code) || text.includes(code.replace("-", "")))).toEqual([]);
  });
}

function changes(scene: () => FactorsScene): void {
  const DAY_SECONDS = 86_400;

  test("are renamed by their owner only, and by a name that can be seen", async () => {
    const { near, addHolder, eventsOf } = scene();
    const [alice, bob] = [await addHolder(), await addHolder()];
    await near.rename(alice.id, alice.deviceId, "  Work   phone ");
    expect((await near.overview(alice.id)).totpDevices).toMatchObject([{ name: "Work phone" }]);
    await expect(near.rename(bob.id, alice.deviceId, "Mine")).rejects.toMatchObject({ code: "FACTOR_NOT_FOUND" });
    await expect(near.rename(alice.id, alice.deviceId, " ")).rejects.toMatchObject({ code: "INPUT_INVALID" });
    await near.rename(alice.id, alice.deviceId, "a".repeat(60));
    await expect(near.rename(alice.id, alice.deviceId, "a".repeat(61))).rejects.toMatchObject({
      code: "INPUT_INVALID",
    });
    expect((await eventsOf(alice.id)).at(-1)).toBe("factor_renamed totp");
  });

  test("are removed by their owner only; with the last one go the recovery codes", async () => {
    const { near, clock, addHolder, eventsOf } = scene();
    const [alice, bob] = [await addHolder(), await addHolder()];
    const second = await addDevice({ near, clock }, alice);
    await expect(near.remove(bob.id, alice.deviceId, freshSource())).rejects.toMatchObject({
      code: "FACTOR_NOT_FOUND",
    });
    const [code = ""] = (await near.recoveryCodes.reveal(alice.id)) ?? [];
    await near.remove(alice.id, alice.deviceId, freshSource());
    expect((await near.overview(alice.id)).recoveryCodes).toMatchObject({ left: 10 });
    await near.remove(alice.id, second.deviceId, freshSource());
    expect(await near.overview(alice.id)).toEqual({ totpDevices: [], passkeys: [], recoveryCodes: undefined });
    const attempt = { code, source: freshSource() };
    expect(await near.recoveryCodes.verify(alice.id, attempt)).toMatchObject({ outcome: "refused" });
    expect(await eventsOf(alice.id)).toContain("factor_removed totp");
  });

  test("that come or go leave no browser trusted", async () => {
    const { near, clock, knownDevices, addHolder } = scene();
    const alice = await addHolder();
    const token = await knownDevices.note(alice.id, undefined, { trustForSeconds: DAY_SECONDS });
    const trust = async () => {
      await knownDevices.note(alice.id, token, { trustForSeconds: DAY_SECONDS });
      expect(await knownDevices.recognize(alice.id, token)).toMatchObject({ isTrusted: true });
    };
    const expectDistrust = async () =>
      expect(await knownDevices.recognize(alice.id, token)).toMatchObject({ isTrusted: false });
    await trust();
    await addDevice({ near, clock }, alice);
    await expectDistrust();
    await trust();
    await near.remove(alice.id, alice.deviceId, freshSource());
    await expectDistrust();
    await trust();
    await near.reset(alice.id);
    await expectDistrust();
  });

  test("are reset as a whole, with the pause; there is nothing to reset then", async () => {
    const { near, addHolder, addPerson, eventsOf } = scene();
    const [alice, bob] = [await addHolder(), await addPerson()];
    await near.totp.beginEnrollment(alice, SIGN_IN);
    for (let count = 0; count < 6; count += 1) {
      await near.totp.verify(alice.id, { code: "nonsense", source: freshSource() });
    }
    expect(await near.reset(alice.id)).toBe(true);
    expect(await near.overview(alice.id)).toEqual({ totpDevices: [], passkeys: [], recoveryCodes: undefined });
    const attempt = { binding: SIGN_IN, code: alice.code(), source: freshSource() };
    expect(await near.totp.verify(alice.id, attempt)).toMatchObject({ outcome: "refused" });
    expect(await near.totp.confirmEnrollment(alice.id, { ...attempt, name: "Phone" })).toEqual({ outcome: "expired" });
    expect(await near.reset(alice.id)).toBe(false);
    expect(await near.reset(bob.id)).toBe(false);
    expect((await eventsOf(alice.id)).filter((event) => event === "factors_reset")).toHaveLength(1);
  });

  test("leave nothing that has expired after a sweep, and lose nothing else", async () => {
    const { near, db, clock, addHolder, addPerson } = scene();
    await near.sweep();
    const [alice, bob] = [await addHolder(), await addPerson()];
    await near.totp.beginEnrollment(bob, SIGN_IN);
    await sql`insert into answered_challenges values ('digest', ${new Date(clock.nowMs() + 1_800_000)})`.execute(db);
    const countRows = async () => {
      const { rows } = await sql<{ count: string | number }>`
        select (select count(*) from totp_enrollments where account_id = ${bob.id})
             + (select count(*) from answered_challenges where digest = 'digest')
             + (select count(*) from recovery_code_sets where account_id = ${alice.id} and shown is not null) as count
        `.execute(db);
      return Number(rows[0]?.count);
    };
    await near.sweep();
    expect(await countRows()).toBe(3);
    clock.passSeconds(30 * MINUTE_SECONDS);
    expect(await near.sweep()).toBeGreaterThanOrEqual(3);
    expect(await countRows()).toBe(0);
    expect(await near.sweep()).toBe(0);
    expect(await near.overview(alice.id)).toMatchObject({
      totpDevices: [{ name: "Phone" }],
      recoveryCodes: { left: 10 },
    });
  });
}
