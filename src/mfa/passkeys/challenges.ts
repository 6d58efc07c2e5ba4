import { type Authenticator, type Clock, epochSeconds, randomOctets, sha256 } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import { withTables } from "../tables.ts";

const LIFETIME_SECONDS = 60 * 60;
const RANDOM_BYTES = 16;
const END_BYTES = 6;
const DIGEST_BYTES = 32;
const BODY_BYTES = RANDOM_BYTES + END_BYTES;
const PURPOSE = "passkey-challenge";

/** What an answer has to be: the making of a passkey or its use, and in what it belongs, such as an interaction. */
export interface ChallengeUse {
  readonly ceremony: "create" | "get";
  readonly binding: string;
}

/** A challenge of ours that was answered in time. */
export interface AnsweredChallenge {
  readonly digest: string;
  readonly expiresAt: Date;
}

/**
 * Challenges that nobody stores: random bytes, the end in seconds, and a keyed digest over both and the use. Any number
 * of pages may be open and offer passkeys; only what was answered is noted, for as long as it could be answered again.
 */
export interface Challenges {
  issue(use: ChallengeUse): Buffer;
  /** `challenge` is base64url from the browser, untrusted. `undefined` when it is not ours, not for this, or too old. */
  check(use: ChallengeUse, challenge: string): AnsweredChallenge | undefined;
}

export function createChallenges(deps: { readonly clock: Clock; readonly authenticator: Authenticator }): Challenges {
  const { clock, authenticator } = deps;
  const textOf = ({ ceremony, binding }: ChallengeUse, body: Buffer): string =>
    JSON.stringify([ceremony, binding, body.toString("base64url")]);
  return {
    issue(use) {
      const body = Buffer.alloc(BODY_BYTES);
      randomOctets(RANDOM_BYTES).copy(body);
      body.writeUIntBE(epochSeconds(clock) + LIFETIME_SECONDS, RANDOM_BYTES, END_BYTES);
      return Buffer.concat([body, Buffer.from(authenticator.digest(PURPOSE, textOf(use, body)), "base64url")]);
    },
    check(use, challenge) {
      const octets = Buffer.from(challenge, "base64url");
      if (octets.length !== BODY_BYTES + DIGEST_BYTES) return undefined;
      const body = octets.subarray(0, BODY_BYTES);
      const digest = octets.subarray(BODY_BYTES).toString("base64url");
      if (!authenticator.verify(PURPOSE, textOf(use, body), digest)) return undefined;
      const endSeconds = body.readUIntBE(RANDOM_BYTES, END_BYTES);
      if (epochSeconds(clock) >= endSeconds) return undefined;
      // Of the bytes and not of the text, which has several spellings.
      return { digest: sha256(octets).toString("base64url"), expiresAt: new Date(endSeconds * 1_000) };
    },
  };
}

/** Notes that a challenge was answered; `false` when it was before. Of parallel answers one finds it open. */
export async function useUpChallenge(tx: Db, { digest, expiresAt }: AnsweredChallenge): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await withTables(tx)
    .insertInto("answered_challenges")
    .values({ digest, expires_at: expiresAt })
    .onConflict((conflict) => conflict.column("digest").doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}
