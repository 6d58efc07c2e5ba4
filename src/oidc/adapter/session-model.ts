import type { AdapterPayload } from "oidc-provider";
import { type Clock, equalOctets } from "../../core/index.ts";
import { digestOf, parseTag, parseTaggedSecret } from "./identifiers.ts";
import { endSession, grantsThatPersist } from "./session-end.ts";
import { createSessionFields } from "./session-fields.ts";
import { decodeOwner, FIELD, type FieldCodec } from "./sign-in-fields.ts";
import type { SignInIndex } from "./sign-in-index.ts";
import type { SignIns } from "./sign-ins.ts";

export interface SessionModelDeps {
  readonly signIns: SignIns;
  readonly codec: FieldCodec;
  readonly index: SignInIndex;
  readonly clock: Clock;
}

/**
 * Sessions, of which the library always writes all that it knows.
 *
 * `session-fields.ts` writes the difference to what the request had loaded, `session-end.ts` says what a sign-out takes
 * along.
 */
export function createSessionModel(deps: SessionModelDeps) {
  const { signIns, codec, index, clock } = deps;
  const sessionFields = createSessionFields({ codec, clock });

  return {
    async find(id: string) {
      const parts = parseTaggedSecret(id);
      if (parts === undefined) return undefined;
      const fields = await signIns.load(parts.tag);
      const digest = fields.get(FIELD.sessionDigest);
      if (digest === undefined || !equalOctets(digest, digestOf(parts.secret))) return undefined;
      const payload = await sessionFields.toPayload(parts.tag, fields);
      return payload && { ...payload, jti: id };
    },
    async findByUid(uid: string) {
      const tag = parseTag(uid);
      return tag === undefined ? undefined : sessionFields.toPayload(tag, await signIns.load(tag));
    },
    async upsert(id: string, payload: AdapterPayload) {
      const tag = parseTag(payload.uid ?? "");
      if (tag === undefined) throw new Error("a session needs a tag as its uid");
      // Nobody is signed in: there is nothing to find again, and anybody could fill the store with it.
      if (payload.accountId === undefined) return;
      if (sessionFields.isNewToAccount(payload)) await index.add(payload.accountId, tag);
      await signIns.change(tag, (fields) => sessionFields.decide(id, payload, fields));
    },
    async destroy(id: string) {
      const tag = parseTaggedSecret(id)?.tag;
      if (tag === undefined) return;
      const fields = await signIns.load(tag);
      const staying = grantsThatPersist(fields);
      if (staying.size > 0) {
        await signIns.change(tag, (present) => endSession(present, staying));
        // A parallel request may have added a client between our read and our write; from here on none can.
        await signIns.reload(tag);
        await signIns.change(tag, (present) => endSession(present, staying));
      } else {
        await signIns.delete(tag);
      }
      const owner = fields.get(FIELD.owner);
      if (owner !== undefined) await index.end(decodeOwner(owner), tag, staying.size > 0 ? "session" : "whole");
    },
  };
}
