import { type AdapterPayload, errors } from "oidc-provider";
import { type Clock, equalOctets } from "../../core/index.ts";
import type { Sessions } from "../../sessions/index.ts";
import { digestOf, parseTag, parseTaggedSecret, type SignInTag } from "./identifiers.ts";
import { incompleteEnding } from "./incomplete-ending.ts";
import { currentRequestScope } from "./request-scope.ts";
import { createSessionFields } from "./session-fields.ts";
import { FIELD, type FieldCodec, SECRET_DIGEST_BYTES } from "./sign-in-fields.ts";
import type { SignIns } from "./sign-ins.ts";

export interface SessionModelDeps {
  readonly signIns: SignIns;
  readonly codec: FieldCodec;
  readonly sessions: Pick<Sessions, "begin" | "isOpen" | "endHeld">;
  readonly clock: Clock;
}

/**
 * Sessions, of which the library always writes all that it knows.
 *
 * `session-fields.ts` writes the difference to what the request had loaded. Beginnings and ends go by the index of
 * sessions, which changes first.
 */
export function createSessionModel(deps: SessionModelDeps) {
  const { signIns, codec, sessions, clock } = deps;
  const sessionFields = createSessionFields({ codec, clock });

  return {
    async find(id: string) {
      const parts = parseTaggedSecret(id);
      if (parts === undefined) return undefined;
      const fields = await signIns.load(parts.tag);
      const digest = fields.get(FIELD.sessionDigest);
      if (digest === undefined || !equalOctets(digest, digestOf(parts.secret, SECRET_DIGEST_BYTES))) return undefined;
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
      const isNew = sessionFields.isNewToAccount(payload);
      if (isNew) await begin(payload.accountId, tag, payload);
      await signIns.change(tag, (fields) => sessionFields.decide(id, payload, fields));
      if (isNew) await refuseEnded(tag);
    },
    async destroy(id: string) {
      const tag = parseTaggedSecret(id)?.tag;
      if (tag === undefined) return;
      const { isComplete } = await sessions.endHeld(tag, "signed_out");
      if (!isComplete) throw incompleteEnding();
    },
  };

  /** Notes the session before it is there, so that no session is there without its row. */
  async function begin(accountId: string, tag: SignInTag, payload: AdapterPayload): Promise<void> {
    const [clientId] = Object.keys(payload.authorizations ?? {});
    const { acr, amr = [] } = payload;
    await sessions.begin({ ...currentRequestScope()?.origin, id: tag, accountId, clientId, acr, amr });
  }

  /**
   * Whoever ended all of the account's sessions in between found nothing of this one to end in the store. When nobody can
   * tell, it goes as well: nobody would look again, and the browser has its cookie by then, whatever the answer is.
   */
  async function refuseEnded(tag: SignInTag): Promise<void> {
    let isOpen = false;
    try {
      isOpen = await sessions.isOpen(tag);
    } finally {
      if (!isOpen) await signIns.delete(tag);
    }
    if (isOpen) return;
    throw new errors.SessionNotFound("the session ended while it began");
  }
}
