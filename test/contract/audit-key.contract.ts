import { generateKeyPairSync } from "node:crypto";
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { type AuditScene, openAuditScene, SECRET } from "./audit-scene.ts";
import type { RevocationGround } from "./revocations.contract.ts";

/** What signs the chain of the audit log, on every database. */
export function auditKeyContract(openGround: () => Promise<RevocationGround>): void {
  describe("the key that signs", () => {
    signing(openAuditScene(openGround));
  });
  describe("a key that was lost", () => {
    replacing(openAuditScene(openGround));
  });
  describe("a key that was not lost", () => {
    keeping(openAuditScene(openGround));
  });
}

function signing(scene: () => AuditScene): void {
  test("outlives the secret that it lies under, and is trusted under no other", async () => {
    const { addSignIns, chain, chainWith } = scene();
    const next = "n".repeat(40);
    await addSignIns("alice", 2);
    await chain.sealWaiting();
    const early = await chain.exportCheckpoint();
    const [both, nextOnly] = [chainWith({ secrets: [next, SECRET] }), chainWith({ secrets: [next] })];
    expect(await nextOnly.verify()).toMatchObject({ break: { kind: "forged" } });
    await addSignIns("alice", 1);
    await expect(nextOnly.sealWaiting()).rejects.toMatchObject({ code: "SECRET_UNKNOWN" });
    expect(await both.sealWaiting()).toBe(1);
    // While the new secret makes its way, those that have the old one alone go on.
    await addSignIns("alice", 1);
    expect(await chain.sealWaiting()).toBe(1);
    await addSignIns("alice", 1);
    expect(await nextOnly.sealWaiting()).toBe(1);
    expect(await nextOnly.verify(early)).toMatchObject({ verdict: "intact", checkpoint: "matches" });
    const late = await nextOnly.exportCheckpoint();
    expect(late.publicKey).toBe(early.publicKey);
    const { publicKey } = generateKeyPairSync("ed25519");
    const foreign = { ...late, publicKey: String(publicKey.export({ type: "spki", format: "pem" })) };
    expect(await nextOnly.verify(foreign)).toMatchObject({ break: { kind: "forged" } });
  });
}

function replacing(scene: () => AuditScene): void {
  const next = "n".repeat(40);

  test("is replaced when it was lost, and the chain goes on as it was found", async () => {
    const { addSignIns, chain, chainWith, clock, audit, tampered } = scene();
    await addSignIns("alice", 3);
    await chain.sealWaiting();
    const early = await chain.exportCheckpoint();
    await addSignIns("alice", 1);
    const after = chainWith({ secrets: [next] });
    await expect(after.sealWaiting()).rejects.toMatchObject({ code: "SECRET_UNKNOWN" });
    // A clock that was set back does not make it the older one.
    clock.passSeconds(-3_600);
    const replaced = await after.replaceKey();
    clock.passSeconds(3_600);
    expect(replaced.position).toBe("3");
    expect(await after.verify()).toMatchObject({ verdict: "intact", proved: { position: "3" }, waiting: 2 });
    expect(await after.sealWaiting()).toBe(2);
    expect(await after.verify(early)).toMatchObject({ verdict: "intact", events: 5, checkpoint: "matches" });
    expect((await after.exportCheckpoint()).publicKey).not.toBe(early.publicKey);
    expect(await audit.list({ types: ["audit_key_replaced"], limit: 2 })).toMatchObject([
      { actor: "operator", data: { ...replaced } },
    ]);
    // What was sealed before is proved by what the new one signed.
    const changed = "update audit_events set data = '{}', client_id = 'x' where id = 2";
    expect(await tampered(changed, (look) => look.verify(), [next])).toMatchObject({ break: { kind: "changed" } });
  });
}

function keeping(scene: () => AuditScene): void {
  test("is not replaced, also where a newer one lies there that nobody can open: what was rewritten gets no new signature", async () => {
    const { addSignIns, chain, chainWith, db } = scene();
    const present = { code: "AUDIT_KEY_PRESENT" };
    // There is none yet.
    await expect(chain.replaceKey()).rejects.toMatchObject(present);
    await addSignIns("alice", 1);
    await chain.sealWaiting();
    await expect(chain.replaceKey()).rejects.toMatchObject(present);
    await expect(chainWith({ secrets: ["n".repeat(40), SECRET] }).replaceKey()).rejects.toMatchObject(present);
    await sql`
      insert into audit_keys (id, public_key, sealed_private_key, created_at)
        select 'made up', public_key, public_key, created_at + interval '1 day' from audit_keys`.execute(db);
    await expect(chain.replaceKey()).rejects.toMatchObject(present);
  });
}
