import { type AdapterPayload, errors } from "oidc-provider";
import { type Clock, epochSeconds } from "../../core/index.ts";
import { artifactKey, parseTaggedSecret } from "./identifiers.ts";
import { currentRequestScope } from "./request-scope.ts";
import { decodeTime, encodeTime } from "./sign-in-fields.ts";
import type { SignIns } from "./sign-ins.ts";
import type { ProtocolStore } from "./store.ts";

const VALUE = "v";
const USED = "u";
const TRIES_MAX = 5;
const TIME_BYTES = 4;

/** Member of a consumed artifact's payload that holds the note; the library does not know it and leaves it alone. */
export const CONSUMED_NOTE = "consumedNote";

/** Single, short-lived things, each under a key of its own. The letter keeps the kinds apart in the store. */
export const ARTIFACT_KINDS = {
  AuthorizationCode: "c",
  AccessToken: "k",
  ClientCredentials: "m",
  Interaction: "n",
  PushedAuthorizationRequest: "p",
  ReplayDetection: "j",
} as const;

export type ArtifactName = keyof typeof ARTIFACT_KINDS;

/**
 * Stands for the id inside the stored value, so that a copy of the store does not hold it. JSON escapes control
 * characters, so that nobody can write this one into a parameter and have it read back as the id.
 */
const ID_PLACEHOLDER = "\u0001";

export interface ArtifactDeps {
  readonly store: ProtocolStore;
  readonly signIns: SignIns;
  readonly clock: Clock;
}

export function createArtifactModel(deps: ArtifactDeps, name: ArtifactName) {
  const { store, signIns, clock } = deps;
  const keyOf = (id: string): string => artifactKey(ARTIFACT_KINDS[name], id);

  return {
    async find(id: string): Promise<AdapterPayload | undefined> {
      const key = keyOf(id);
      const tag = parseTaggedSecret(id)?.tag;
      const fields = tag === undefined ? (await store.read([key]))[0] : await signIns.loadWith(tag, key);
      const value = fields?.get(VALUE);
      if (value === undefined) return undefined;
      currentRequestScope()?.artifacts.set(key, value);
      const payload = decode(value, id);
      if (payload.exp !== undefined && payload.exp <= epochSeconds(clock)) return undefined;
      const used = fields?.get(USED);
      if (used === undefined) return payload;
      return { ...payload, consumed: decodeTime(used), [CONSUMED_NOTE]: used.toString("latin1", TIME_BYTES) };
    },
    async upsert(id: string, payload: AdapterPayload, lifetimeSeconds: number): Promise<void> {
      const key = keyOf(id);
      const value = encode(payload, id);
      const set = new Map([[VALUE, value]]);
      const expiresAt = epochSeconds(clock) + lifetimeSeconds;
      let present = currentRequestScope()?.artifacts.get(key);
      for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
        const expect = new Map(present === undefined ? [] : [[VALUE, present]]);
        if (await store.change(key, { expect, set, expiresAt })) {
          currentRequestScope()?.artifacts.set(key, value);
          return;
        }
        present = (await store.read([key]))[0]?.get(VALUE);
        // It was loaded and is gone: writing it would bring it back.
        if (present === undefined) break;
      }
      throw new errors.SessionNotFound("it was over before it could be written");
    },
    /** @param note what a look-up that comes later is to know of this moment; ASCII, and for us alone. */
    async consume(id: string, note = ""): Promise<void> {
      const key = keyOf(id);
      const loaded = currentRequestScope()?.artifacts.get(key) ?? (await store.read([key]))[0]?.get(VALUE);
      const isWon =
        loaded !== undefined &&
        (await store.change(key, {
          expect: new Map([
            [VALUE, loaded],
            [USED, undefined],
          ]),
          set: new Map([[USED, Buffer.concat([encodeTime(epochSeconds(clock)), Buffer.from(note, "latin1")])]]),
          expiresAt: epochSeconds(clock) + 1,
        }));
      if (!isWon) throw lostRace(name);
    },
    async destroy(id: string): Promise<void> {
      await store.delete(keyOf(id));
    },
    /** Takes the id once; `false` when it was taken before by another request. */
    async claim(id: string, lifetimeSeconds: number): Promise<boolean> {
      const key = keyOf(id);
      const scope = currentRequestScope();
      if (scope?.claimed.has(key)) return true;
      const isFirst = await store.change(key, {
        expect: new Map([[VALUE, undefined]]),
        set: new Map([[VALUE, Buffer.from([1])]]),
        expiresAt: epochSeconds(clock) + Math.max(1, lifetimeSeconds),
      });
      if (isFirst) scope?.claimed.add(key);
      return isFirst;
    },
  };
}

function lostRace(name: ArtifactName): Error {
  return name === "PushedAuthorizationRequest"
    ? new errors.InvalidRequestUri("the request_uri was used already")
    : new errors.InvalidGrant(`the ${name} was used already`);
}

function encode(payload: AdapterPayload, id: string): Buffer {
  const { jti: _jti, ...rest } = payload;
  const text = JSON.stringify(rest, (member, value: unknown) => (member === "cookie" ? undefined : value));
  return Buffer.from(text.replaceAll(id, ID_PLACEHOLDER));
}

function decode(value: Buffer, id: string): AdapterPayload {
  return { ...(JSON.parse(value.toString("utf8").replaceAll(ID_PLACEHOLDER, id)) as AdapterPayload), jti: id };
}
