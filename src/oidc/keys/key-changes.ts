import type { Audit, AuditEventType } from "../../audit/index.ts";
import type { Clock } from "../../core/index.ts";
import type { Revocations } from "../../sessions/index.ts";
import { type Db, guardStore } from "../../storage/index.ts";
import type { KeyTransition, ScheduledKey } from "./key-schedule.ts";
import { type KeyTables, lockKeys, notifyNodes, readSchedule } from "./key-table.ts";
import { type KeyMakerDeps, type MadeKey, makeKey } from "./make-keys.ts";

export interface KeyChangeDeps extends KeyMakerDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly revocations: Pick<Revocations, "append">;
}

export interface KeyChange {
  /** Who had it done, for the record. */
  readonly cause: "schedule" | "operator";
  /** Asked outside of the transaction, and again within it on what there is by then. */
  readonly decide: (keys: readonly ScheduledKey[], tx: Db) => Promise<readonly KeyTransition[]>;
}

/** How often others may be quicker before the rest is left to the next look. */
const TRIES_MAX = 3;

/**
 * Carries out what `decide` says, all of it or nothing: under a lock that all nodes share, each step only if its key is
 * still in the state that it was decided for, with its events in the same transaction. At the commit nodes are woken.
 *
 * Keys are made before the transaction, which would have to wait for them. What others were quicker to do is not done
 * again.
 *
 * @throws AppError STORE_UNAVAILABLE, SIGNING_UNAVAILABLE
 */
export async function changeKeys(deps: KeyChangeDeps, change: KeyChange): Promise<readonly KeyTransition[]> {
  const made: MadeKey[] = [];
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const wanted = await guardStore(async () => change.decide(await readSchedule(deps.db), deps.db));
    await makeMissing(deps, wanted, made);
    const done = wanted.length === 0 ? NOTHING : await guardStore(() => carryOut(deps, change, made));
    if (done === undefined) continue;
    // A key that others were quicker to make nobody has ever seen: what is left of it harms nobody.
    await forget(deps, [...done.gone, ...made.filter((key) => !done.used.includes(key)).map(referenceOf)]);
    return done.transitions;
  }
  await forget(deps, made.map(referenceOf));
  return [];
}

interface Done {
  readonly transitions: readonly KeyTransition[];
  /** What of the keys that were made is in the table now. */
  readonly used: readonly MadeKey[];
  /** References of keys that are in the table no more. */
  readonly gone: readonly (string | undefined)[];
}

const NOTHING: Done = { transitions: [], used: [], gone: [] };
const referenceOf = ({ externalReference }: MadeKey): string | undefined => externalReference;

async function forget({ externalKeys }: KeyChangeDeps, references: readonly (string | undefined)[]): Promise<void> {
  const named = references.filter((reference) => reference !== undefined);
  await Promise.allSettled(named.map(async (reference) => externalKeys?.forget(reference)));
}

async function makeMissing(deps: KeyChangeDeps, wanted: readonly KeyTransition[], made: MadeKey[]): Promise<void> {
  const { missing } = allot(wanted, made);
  made.push(...(await Promise.all(missing.map((algorithm) => makeKey(deps, algorithm)))));
}

/** Each creation with a key of those that were made, and the algorithms of creations for which there is none. */
function allot(transitions: readonly KeyTransition[], made: readonly MadeKey[]) {
  const left = [...made];
  const steps = transitions.map((transition) => {
    const at =
      transition.type === "create" ? left.findIndex(({ algorithm }) => algorithm === transition.algorithm) : -1;
    return { transition, key: at < 0 ? undefined : left.splice(at, 1)[0] };
  });
  const missing = steps.flatMap(({ transition, key }) =>
    transition.type === "create" && key === undefined ? [transition.algorithm] : [],
  );
  return { steps, missing };
}

/** `undefined`: by now other keys are needed than were made. */
async function carryOut(
  deps: KeyChangeDeps,
  { cause, decide }: KeyChange,
  made: readonly MadeKey[],
): Promise<Done | undefined> {
  return deps.db.transaction().execute(async (tx) => {
    await lockKeys(tx);
    const transitions = await decide(await readSchedule(tx), tx);
    const { steps, missing } = allot(transitions, made);
    if (missing.length > 0) return undefined;
    const gone: (string | undefined)[] = [];
    for (const { transition, key } of steps) gone.push(await applyTransition(deps, tx, { transition, key, cause }));
    if (steps.length > 0) await notifyNodes(tx);
    // Last: from here to the commit every other appender of the deployment waits.
    await deps.revocations.append(
      tx,
      transitions.flatMap((one) => (one.type === "withdraw" ? [{ kind: "key" as const, keyId: one.kid }] : [])),
    );
    return { transitions, gone, used: steps.flatMap(({ key }) => key ?? []) };
  });
}

interface Step {
  readonly transition: KeyTransition;
  /** Of a creation. */
  readonly key: MadeKey | undefined;
  readonly cause: KeyChange["cause"];
}

/** Returns the reference of a key that is gone with it. */
async function applyTransition(
  deps: KeyChangeDeps,
  tx: Db,
  { transition, key, cause }: Step,
): Promise<string | undefined> {
  const at = new Date(deps.clock.nowMs());
  const record = (type: AuditEventType, { kid, algorithm }: NamedKey): Promise<void> =>
    deps.audit.append(tx, { type, data: { kid, algorithm, cause } });
  switch (transition.type) {
    case "create":
      if (key === undefined) return undefined;
      await insert(tx, key, { state: transition.state, at });
      await record("signing_key_created", key);
      return undefined;
    case "activate":
      if (transition.retires !== undefined) {
        // Nothing will be signed with it again, and what is not there cannot get out.
        const retirement = { state: "retired", retired_at: at, sealed_private_jwk: null } as const;
        await record("signing_key_retired", await move(tx, { kid: transition.retires, from: "current" }, retirement));
      }
      await record(
        "signing_key_rotated",
        await move(tx, { kid: transition.kid, from: "next" }, { state: "current", activated_at: at }),
      );
      return undefined;
    case "delete":
    case "withdraw": {
      const removed = await remove(tx, transition.kid);
      await record(transition.type === "delete" ? "signing_key_deleted" : "signing_key_withdrawn", removed);
      return removed.external_reference ?? undefined;
    }
    default:
      return transition satisfies never;
  }
}

interface NamedKey {
  readonly kid: string;
  readonly algorithm: string;
}

type KeyRow = KeyTables["oidc_signing_keys"];

async function insert(
  tx: Db,
  key: MadeKey,
  { state, at }: { readonly state: KeyRow["state"]; readonly at: Date },
): Promise<void> {
  await tx
    .withTables<KeyTables>()
    .insertInto("oidc_signing_keys")
    .values({
      kid: key.kid,
      algorithm: key.algorithm,
      state,
      public_jwk: JSON.stringify(key.publicJwk),
      sealed_private_jwk: key.sealedPrivateJwk ?? null,
      external_reference: key.externalReference ?? null,
      created_at: at,
      activated_at: state === "current" ? at : null,
      retired_at: null,
    })
    .execute();
}

/** @throws Error, which undoes the transaction, when the key is in another state. */
async function move(
  tx: Db,
  { kid, from }: { readonly kid: string; readonly from: KeyRow["state"] },
  values: Partial<Pick<KeyRow, "state" | "retired_at" | "activated_at" | "sealed_private_jwk">>,
): Promise<NamedKey> {
  const moved = await tx
    .withTables<KeyTables>()
    .updateTable("oidc_signing_keys")
    .set(values)
    .where("kid", "=", kid)
    .where("state", "=", from)
    .returning(["kid", "algorithm"])
    .executeTakeFirst();
  if (moved === undefined) throw new Error(`the key ${kid} is not ${from} any more`);
  return moved;
}

/** @throws Error, which undoes the transaction, when it is gone already. */
async function remove(tx: Db, kid: string): Promise<NamedKey & Pick<KeyRow, "external_reference">> {
  const removed = await tx
    .withTables<KeyTables>()
    .deleteFrom("oidc_signing_keys")
    .where("kid", "=", kid)
    .returning(["kid", "algorithm", "external_reference"])
    .executeTakeFirst();
  if (removed === undefined) throw new Error(`the key ${kid} is not there any more`);
  return removed;
}
