import { sql } from "kysely";
import type { Audit } from "../audit/index.ts";
import { AppError, type Clock, epochSeconds } from "../core/index.ts";
import { type Db, guardStore } from "../storage/index.ts";
import type { Revocations } from "./revocations.ts";

/** Between two beats of the deployment. */
export const BEAT_EVERY_SECONDS = 10;
/** A node that writes the mark may die before it says so here, so that the store may be one ahead; a replica one behind. */
const BEATS_APART_MAX = 1;
/** Nodes that notice at once step on each other's toes a few times at the most. */
const TRIES_MAX = 5;
/** The beat before all others. */
const EVERYTHING = 0;

/** What the protocol store is marked with. */
export interface StoreMark {
  readonly epoch: number;
  readonly beat: number;
}

/** The protocol store as it was found: a run of it, and its mark. */
export interface ProtocolStoreRun {
  /** Another one after every restart. */
  readonly id: string;
  readMark(): Promise<StoreMark | undefined>;
  /** `false`, and nothing done, when the mark is neither the one that was read before nor this one. */
  replaceMark(mark: StoreMark): Promise<boolean>;
}

/** What Postgres knows of the protocol store. */
export interface KnownStore {
  /** The epoch that began with the store as it is; 0: there never was one. */
  readonly epoch: number;
  /** The run for which that epoch began, until the store is marked with it. */
  readonly begunForRun: string | undefined;
  readonly beat: number;
}

export interface EpochDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly revocations: Pick<Revocations, "append">;
}

/**
 * The epochs of a deployment: with each, every access token that was issued before is revoked at once. Those of here
 * begin with a protocol store that is not the one that we left; an operator begins one with a record of this kind.
 */
export interface Epochs {
  /**
   * Compares what the protocol store is marked with to what Postgres knows, and starts an epoch when the store was lost
   * or restored. Then, and whenever the store restarted, delivers anew what had ended and may be missing there.
   *
   * @throws AppError STORE_UNAVAILABLE; then the store must not be used.
   */
  checkStore(run: ProtocolStoreRun): Promise<void>;
  /** Counts on, here and in the store, if no other node has just done so. `false`: the store is not what it was. */
  beat(run: ProtocolStoreRun): Promise<boolean>;
}

export interface EpochsDeps extends EpochDeps {
  /** Ends once more, in the protocol store, what Postgres knows as cleared from it in that beat or since. */
  readonly redeliverEndings: (sinceBeat: number) => Promise<void>;
}

export function createEpochs(deps: EpochsDeps): Epochs {
  const { db, clock, redeliverEndings } = deps;

  return {
    async checkStore(run) {
      for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
        // Postgres first: the mark of an epoch that another node is just starting is then never taken for a stranger's.
        const known = await readKnownStore(db);
        const mark = await run.readMark();
        const standing = compareStore(known, { mark, runId: run.id });
        if (standing === "first") await beginFirst(deps, run.id);
        else if (standing === "lost" || standing === "restored") await beginAnew(deps, { known, mark, run, standing });
        else {
          await redeliverEndings(standing === "same" ? lossesBeginAt(mark) : EVERYTHING);
          if (standing === "same" || (await finishBeginning(db, { known, run }))) return;
        }
      }
      throw new AppError("STORE_UNAVAILABLE", { detail: "other nodes keep starting epochs", retryAfterSeconds: 1 });
    },
    async beat(run) {
      const known = await claimBeat(db, epochSeconds(clock));
      if (known === undefined) return true;
      const mark = await run.readMark();
      if (compareStore(known, { mark, runId: run.id }) !== "same") return false;
      const isWritten = await run.replaceMark({ epoch: known.epoch, beat: known.beat + 1 });
      // While this node stood still the others went on.
      if (!isWritten) return true;
      // Only now: a store that is away for a while must not look as if it had lost the beats.
      await guardStore(() =>
        sql`update revocation_feed set beat = beat + 1
          where store_epoch = ${known.epoch} and beat = ${known.beat}`.execute(db),
      );
      return true;
    },
  };
}

/**
 * Whether the store is the one that we left. `begun`: it is not, and another node, or this one before it failed, has
 * already started the epoch for that.
 */
export function compareStore(
  known: KnownStore,
  found: { readonly mark: StoreMark | undefined; readonly runId: string },
): "same" | "first" | "begun" | "lost" | "restored" {
  const { mark } = found;
  if (known.begunForRun === found.runId) return "begun";
  if (mark === undefined) return known.epoch === 0 ? "first" : "lost";
  const isOurs = mark.epoch === known.epoch && Math.abs(mark.beat - known.beat) <= BEATS_APART_MAX;
  return isOurs && known.begunForRun === undefined ? "same" : "restored";
}

/**
 * The beat whose clearings are the first that a store with this mark may have lost. What it has is what was written to
 * it up to some moment, and its mark is of that. Postgres says so of a beat only after the store, so that what was cleared
 * right after it may stand under the one before.
 */
function lossesBeginAt(mark: StoreMark | undefined): number {
  return mark === undefined ? EVERYTHING : Math.max(EVERYTHING, mark.beat - 1);
}

interface StoreRow {
  readonly store_epoch: string | number;
  readonly store_epoch_run: string | null;
  readonly beat: string | number;
}

const toKnownStore = (row: StoreRow): KnownStore => ({
  epoch: Number(row.store_epoch),
  begunForRun: row.store_epoch_run ?? undefined,
  beat: Number(row.beat),
});

async function readKnownStore(db: Db): Promise<KnownStore> {
  const { rows } = await guardStore(() =>
    sql<StoreRow>`select store_epoch, store_epoch_run, beat from revocation_feed`.execute(db),
  );
  const [row] = rows;
  if (row === undefined) throw new Error("revocation_feed has lost its row");
  return toKnownStore(row);
}

/** One node gets it; the others see that somebody did a moment ago. */
async function claimBeat(db: Db, now: number): Promise<KnownStore | undefined> {
  const { rows } = await guardStore(() =>
    sql<StoreRow>`update revocation_feed set beat_at = ${now}
      where beat_at <= ${now - BEAT_EVERY_SECONDS} and store_epoch > 0
      returning store_epoch, store_epoch_run, beat`.execute(db),
  );
  return rows.map(toKnownStore)[0];
}

/** The first store that this deployment ever had: nothing was issued before. */
async function beginFirst({ db }: EpochDeps, runId: string): Promise<void> {
  await guardStore(() =>
    sql`update revocation_feed
      set epoch = greatest(epoch, 1), store_epoch = greatest(epoch, 1), store_epoch_run = ${runId}
      where store_epoch = 0`.execute(db),
  );
}

interface Beginning {
  readonly known: KnownStore;
  readonly mark: StoreMark | undefined;
  readonly run: ProtocolStoreRun;
  readonly standing: "lost" | "restored";
}

/** Of several nodes that notice, one finds the number as it was and raises it. */
async function beginAnew({ db, audit, revocations }: EpochDeps, beginning: Beginning): Promise<void> {
  const { known, mark, run, standing } = beginning;
  await guardStore(() =>
    db.transaction().execute(async (tx) => {
      // Above what the store is marked with, too: it may be Postgres that came back from the past.
      const last = sql`greatest(epoch, ${mark?.epoch ?? 0}::bigint)`;
      const { numAffectedRows = 0n } = await sql`
        update revocation_feed
          set epoch = ${last}, store_epoch = ${last} + 1, store_epoch_run = ${run.id}
          where store_epoch = ${known.epoch} and store_epoch_run is not distinct from ${known.begunForRun ?? null}`.execute(
        tx,
      );
      if (numAffectedRows === 0n) return;
      await audit.append(tx, { type: "epoch_started", data: { reason: `protocol_store_${standing}` } });
      await revocations.append(tx, [{ kind: "epoch" }]);
    }),
  );
}

/** Idempotent, so that several nodes may finish what one began. `false`: others have gone on since. */
async function finishBeginning(
  db: Db,
  { known, run }: { readonly known: KnownStore; readonly run: ProtocolStoreRun },
): Promise<boolean> {
  if (!(await run.replaceMark({ epoch: known.epoch, beat: known.beat }))) return false;
  await guardStore(() =>
    sql`update revocation_feed set store_epoch_run = null
      where store_epoch = ${known.epoch} and store_epoch_run = ${run.id}`.execute(db),
  );
  return true;
}
