import { AppError, randomToken, sha256 } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import { type FactorServices } from "../dependencies.ts";
import { recordEnrollment } from "../enrolling.ts";
import { parseFactorName } from "../factor-name.ts";
import type { TotpDevices, TotpEnrollment } from "../factors.ts";
import { guardAttempt, type Judgement } from "../guarded-attempt.ts";
import { countFactors, holdFactors, withTables } from "../tables.ts";
import { findStep, parseCode, stepAt } from "./codes.ts";
import type { CodeAttempt } from "./devices.ts";
import { describeSecret, makeSecret, openSecret, renewSeal, type SealedSecret } from "./secrets.ts";

const DEVICES_MAX = 10;
const DEVICE_ID_BYTES = 16;
const ENROLLMENT_SECONDS = 30 * 60;

/** Shows an account the secret of its next device, and adds the device once it has proved that it took it. */
export function createTotpEnrollment(
  services: FactorServices,
): Pick<TotpDevices, "beginEnrollment" | "confirmEnrollment"> {
  const { db, clock, sealer, brandName } = services;
  return {
    async beginEnrollment({ id: accountId, email }, binding): Promise<TotpEnrollment> {
      const place = placeOf(accountId, binding);
      const secret = await db.transaction().execute(async (tx) => {
        await holdFactors(tx, accountId);
        await checkRoom(tx, accountId);
        return (await findPending(tx, place, clock.nowMs())) ?? replacePending(services, tx, place);
      });
      return describeSecret(openSecret(sealer, secret), { email, brandName });
    },
    async confirmEnrollment(accountId, { binding, code, name: typedName, source }) {
      const name = parseFactorName(typedName);
      const pending = await findPending(db, placeOf(accountId, binding), clock.nowMs());
      if (pending === undefined) return { outcome: "expired" };
      return guardAttempt(services, {
        accountId,
        source,
        factor: "totp",
        async judge() {
          const step = findStep(openSecret(sealer, pending), parseCode(code), stepAt(clock));
          if (step === undefined) return { fault: "wrong_code" };
          return addDevice(services, { ...pending, accountId, name, step, code, source });
        },
      });
    },
  };
}

/** Of whom, and in which sign-in or session. */
interface Place {
  readonly account_id: string;
  readonly binding: string;
}

/** Whoever has the database is not to have the ids of sign-ins that go on. */
function placeOf(accountId: string, binding: string): Place {
  return { account_id: accountId, binding: sha256(binding).toString("base64url") };
}

async function findPending(db: Db, place: Place, nowMs: number): Promise<SealedSecret | undefined> {
  const row = await withTables(db)
    .selectFrom("totp_enrollments")
    .select(["device_id", "secret"])
    .where("account_id", "=", place.account_id)
    .where("binding", "=", place.binding)
    .where("expires_at", ">", new Date(nowMs))
    .executeTakeFirst();
  return row && { deviceId: row.device_id, sealed: row.secret };
}

async function replacePending({ clock, sealer }: FactorServices, tx: Db, place: Place): Promise<SealedSecret> {
  const secret = makeSecret(sealer, randomToken(DEVICE_ID_BYTES));
  const values = {
    device_id: secret.deviceId,
    secret: secret.sealed,
    expires_at: new Date(clock.nowMs() + ENROLLMENT_SECONDS * 1_000),
  };
  await withTables(tx)
    .insertInto("totp_enrollments")
    .values({ ...place, ...values })
    .onConflict((conflict) => conflict.columns(["account_id", "binding"]).doUpdateSet(values))
    .execute();
  return secret;
}

interface NewDevice extends SealedSecret, CodeAttempt {
  readonly accountId: string;
  readonly name: string;
  readonly step: number;
}

/** The step of the first code is the device's newest: that code is of no use for a sign-in any more. */
async function addDevice(services: FactorServices, device: NewDevice): Promise<Judgement<object>> {
  const { db, clock, sealer, attempts } = services;
  const { accountId, deviceId, name, step, source } = device;
  return db.transaction().execute(async (tx) => {
    await holdFactors(tx, accountId);
    await checkRoom(tx, accountId);
    // Of parallel confirmations one takes it away and adds the device.
    const { numDeletedRows } = await withTables(tx)
      .deleteFrom("totp_enrollments")
      .where("account_id", "=", accountId)
      .where("device_id", "=", deviceId)
      .executeTakeFirst();
    if (numDeletedRows === 0n) return { fault: "replayed_code" };
    await withTables(tx)
      .insertInto("totp_devices")
      .values({
        id: deviceId,
        account_id: accountId,
        name,
        secret: renewSeal(sealer, device),
        last_step: step,
        created_at: new Date(clock.nowMs()),
        last_used_at: null,
      })
      .execute();
    await attempts.forgive(tx, accountId, source);
    await recordEnrollment(services, tx, { accountId, factor: "totp", source });
    return { accepted: {} };
  });
}

async function checkRoom(tx: Db, accountId: string): Promise<void> {
  const { totpDevices } = await countFactors(tx, accountId);
  if (totpDevices >= DEVICES_MAX) throw new AppError("FACTOR_LIMIT_REACHED");
}
