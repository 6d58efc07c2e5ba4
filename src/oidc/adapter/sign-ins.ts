import { AppError, type Clock, epochSeconds } from "../../core/index.ts";
import { type SignInTag, signInKey } from "./identifiers.ts";
import { currentRequestScope, type WaitingWrite } from "./request-scope.ts";
import { decodeTime, familyExtraField, FIELD } from "./sign-in-fields.ts";
import type { Fields, ProtocolStore } from "./store.ts";

const TRIES_MAX = 8;

/** What a write to a sign-in does, decided on the fields as they are. */
export interface SignInChange {
  /** Fields that must not change between the decision and the write. */
  readonly unchanged: readonly string[];
  readonly set?: ReadonlyMap<string, Buffer>;
  readonly drop?: readonly string[];
}

/** Decides on the fields as they are; `undefined` when there is nothing to do, and it may throw to refuse. */
export type Decision = (fields: Fields) => Promise<SignInChange | undefined> | SignInChange | undefined;

/**
 * Everything that hangs on one sign-in: the session, its grants, its refresh-token families.
 *
 * A write is a decision on the present fields, carried out only if those that it depends on are still the same, and
 * decided anew if they are not. So parallel requests of one browser merge, a race for a refresh token has one winner,
 * and nothing brings back what was ended.
 */
export interface SignIns {
  load(tag: SignInTag): Promise<Fields>;
  /** Reads it anew, whatever this request had read before. */
  reload(tag: SignInTag): Promise<Fields>;
  /** Loads the sign-in together with an artifact of its own, in one trip; returns the artifact's fields. */
  loadWith(tag: SignInTag, key: string): Promise<Fields>;
  /** @throws AppError STORE_UNAVAILABLE when parallel writes never let this one through. */
  change(tag: SignInTag, decide: Decision): Promise<void>;
  /** Within a request: leaves the write to the next change of this sign-in, or to {@link SignIns.flush}. */
  changeLater(tag: SignInTag, set: ReadonlyMap<string, Buffer>): Promise<void>;
  /** Carries out what still waits. Call it before the answer leaves. */
  flush(): Promise<void>;
  delete(tag: SignInTag): Promise<void>;
}

export function createSignIns(deps: { store: ProtocolStore; clock: Clock }): SignIns {
  const { store, clock } = deps;

  async function read(tag: SignInTag): Promise<Fields> {
    const [fields = new Map()] = await store.read([signInKey(tag)]);
    currentRequestScope()?.signIns.set(tag, fields);
    return fields;
  }

  async function change(tag: SignInTag, decide: Decision): Promise<void> {
    const scope = currentRequestScope();
    let stored = scope?.signIns.get(tag) ?? (await read(tag));
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const waiting = scope?.waiting.get(tag);
      refuseGone(waiting, stored);
      const decided = await decide(waiting === undefined ? stored : new Map([...stored, ...waiting.set]));
      // What waits stays for `flush`, which checks that the sign-in is alive; this decision did not.
      if (decided === undefined) return;
      const next = applyChange(stored, waiting, decided, epochSeconds(clock));
      if (await store.change(signInKey(tag), next.change)) {
        scope?.waiting.delete(tag);
        scope?.signIns.set(tag, next.fields);
        return;
      }
      stored = await read(tag);
    }
    throw new AppError("STORE_UNAVAILABLE", {
      detail: "a sign-in is written by too many requests at once",
      retryAfterSeconds: 1,
    });
  }

  return {
    async load(tag) {
      const scope = currentRequestScope();
      const stored = scope?.signIns.get(tag) ?? (await read(tag));
      const waiting = scope?.waiting.get(tag);
      return waiting === undefined ? stored : new Map([...stored, ...waiting.set]);
    },
    reload: read,
    async loadWith(tag, key) {
      const scope = currentRequestScope();
      if (scope?.signIns.has(tag)) return (await store.read([key]))[0] ?? new Map();
      const [artifact = new Map(), fields = new Map()] = await store.read([key, signInKey(tag)]);
      scope?.signIns.set(tag, fields);
      return artifact;
    },
    change,
    async changeLater(tag, set) {
      const scope = currentRequestScope();
      if (scope === undefined) return change(tag, (fields) => onLivingSignIn(fields, set));
      const before = scope.waiting.get(tag);
      const known = [...set.keys()].filter((name) => scope.signIns.get(tag)?.has(name) === true);
      scope.waiting.set(tag, {
        set: new Map([...(before?.set ?? []), ...set]),
        widened: new Set([...(before?.widened ?? []), ...known]),
      });
    },
    async flush() {
      const scope = currentRequestScope();
      for (const tag of scope?.waiting.keys() ?? []) await change(tag, (fields) => onLivingSignIn(fields, new Map()));
    },
    async delete(tag) {
      currentRequestScope()?.waiting.delete(tag);
      await store.delete(signInKey(tag));
      currentRequestScope()?.signIns.set(tag, new Map());
    },
  };
}

/** What this request had read, and means to write more into, may have ended: writing it would bring it back. */
function refuseGone(waiting: WaitingWrite | undefined, stored: Fields): void {
  if (waiting === undefined || [...waiting.widened].every((name) => stored.has(name))) return;
  throw new AppError("INTERACTION_EXPIRED", { detail: "a grant ended while it was written to" });
}

function onLivingSignIn(fields: Fields, set: ReadonlyMap<string, Buffer>): SignInChange {
  if (!fields.has(FIELD.owner)) {
    throw new AppError("INTERACTION_EXPIRED", { detail: "the sign-in ended while it was written to" });
  }
  return { unchanged: [FIELD.owner], set };
}

function applyChange(stored: Fields, waiting: WaitingWrite | undefined, decided: SignInChange, nowSeconds: number) {
  const set = new Map(waiting?.set);
  for (const [name, value] of decided.set ?? []) set.set(name, value);
  const fields = new Map(stored);
  for (const [name, value] of set) fields.set(name, value);
  const expired = expiredFields(fields, nowSeconds);
  const drop = [...(decided.drop ?? []), ...expired];
  for (const name of drop) {
    fields.delete(name);
    set.delete(name);
  }
  // What expired here may have been renewed by a parallel request: it is dropped only as it was read.
  const unchanged = [...decided.unchanged, ...expired, ...(waiting?.widened ?? [])];
  const expect = new Map(unchanged.map((name) => [name, stored.get(name)]));
  return {
    fields,
    change: { expect, set, drop: drop.filter((name) => stored.has(name)), expiresAt: lastEnd(fields, nowSeconds) },
  };
}

/** Grants and families stay behind when they end before the sign-in; whoever writes next takes them along. */
function expiredFields(fields: Fields, nowSeconds: number): string[] {
  const names: string[] = [];
  for (const [name, value] of fields) {
    if (!hasEndOfItsOwn(name) || decodeTime(value) > nowSeconds) continue;
    names.push(name);
    if (name.startsWith("r")) names.push(familyExtraField(name.slice(1)));
  }
  return names;
}

function hasEndOfItsOwn(name: string): boolean {
  return name.length > 1 && (name.startsWith("g") || name.startsWith("r"));
}

/** The key lives as long as the longest of its parts. */
function lastEnd(fields: Fields, nowSeconds: number): number {
  let end = nowSeconds + 1;
  for (const [name, value] of fields) {
    if (name === FIELD.sessionEnd || hasEndOfItsOwn(name)) end = Math.max(end, decodeTime(value));
  }
  return end;
}
