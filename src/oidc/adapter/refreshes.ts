import { type Clock, epochSeconds, equalOctets, randomOctets } from "../../core/index.ts";
import {
  digestOf,
  newRefreshFamily,
  nextInRefreshFamily,
  NONCE_BYTES,
  parseRefreshToken,
  parseTag,
  type RefreshTokenParts,
} from "./identifiers.ts";
import { currentRequestScope } from "./request-scope.ts";
import {
  FAMILY_DIGEST_BYTES,
  familyField,
  type FamilyValue,
  NO_NONCE,
  readFamilyHead,
  SECRET_DIGEST_BYTES,
} from "./sign-in-fields.ts";
import type { SignIns } from "./sign-ins.ts";

/** Where a token stands in its family. `foreign`: it is none of the family's. */
export type Standing = "living" | "consumed" | "foreign";

/** What the presentation of a refresh token is. */
export type Presentation =
  | { readonly type: "living" }
  /** The answer to its first use was lost, or several parts of a client refresh at once: they get what that one got. */
  | { readonly type: "retry"; readonly successor: string }
  /** As a retry, but for another resource or by another sender: no theft, and no successor for it either. */
  | { readonly type: "other" }
  | { readonly type: "reuse" }
  | { readonly type: "unknown" };

type FamilyProof = Pick<FamilyValue, "generation" | "familyDigest" | "secretDigest">;

/**
 * Who knows the family's secret had one of its tokens. What such a token says otherwise is then not an accident: an older
 * generation was consumed, and a generation that is still to come, or the living one with another secret, means that the
 * family went on elsewhere, from a store that has since lost it. Either way two of them are about.
 */
export function standingOf(token: RefreshTokenParts, family: FamilyProof): Standing {
  if (!equalOctets(family.familyDigest, digestOf(token.familySecret, FAMILY_DIGEST_BYTES))) return "foreign";
  return token.generation === family.generation && isSecretOf(token, family) ? "living" : "consumed";
}

export function isSecretOf(token: RefreshTokenParts, family: FamilyProof): boolean {
  return equalOctets(family.secretDigest, digestOf(token.secret, SECRET_DIGEST_BYTES));
}

/** The first token of a new family, under a name that the sign-in, as far as this request has read it, has not. */
export function newRefreshFamilyIn(tag: string): string {
  const known = parseTag(tag);
  const fields = known && currentRequestScope()?.signIns.get(known);
  return newRefreshFamily(tag, (family) => fields?.has(familyField(family)) === true);
}

/** The successor that this request's refresh makes; what it is made with is written along with it. */
export function newSuccessor(predecessor: RefreshTokenParts): string {
  const refresh = currentRequestScope()?.refresh;
  if (refresh === undefined) throw new Error("a refresh token rotates in a refresh only");
  refresh.nonce = randomOctets(NONCE_BYTES);
  return nextInRefreshFamily(predecessor, refresh.nonce, refresh.binding);
}

export interface RefreshesDeps {
  readonly signIns: SignIns;
  readonly clock: Clock;
  /** How long after a rotation a retry of the same token gets the same successor. */
  readonly replaySeconds: number;
}

/** Tells retries from reuse, on what the request has read of the sign-in. */
export function createRefreshes({ signIns, clock, replaySeconds }: RefreshesDeps) {
  /** The window closes by time, and when the successor is used: then there is a later generation, or no nonce. */
  function isRecent(token: RefreshTokenParts, family: Omit<FamilyValue, "recurring">): boolean {
    const isPredecessor = token.generation === family.generation - 1 && !family.nonce.equals(NO_NONCE);
    return isPredecessor && epochSeconds(clock) - family.begunAt < replaySeconds;
  }

  return {
    /** @param binding see {@link nextInRefreshFamily}. */
    async judge(presented: string, binding: string): Promise<Presentation> {
      const token = parseRefreshToken(presented);
      const value = token && (await signIns.load(token.tag)).get(familyField(token.family));
      if (token === undefined || value === undefined) return { type: "unknown" };
      const family = readFamilyHead(value);
      const standing = family.isIntact ? standingOf(token, family) : "foreign";
      if (standing !== "consumed") return { type: standing === "living" ? "living" : "unknown" };
      if (!isRecent(token, family)) return { type: "reuse" };
      const successor = nextInRefreshFamily(token, family.nonce, binding);
      const parts = parseRefreshToken(successor);
      return parts !== undefined && isSecretOf(parts, family) ? { type: "retry", successor } : { type: "other" };
    },
  };
}
