import { type ProtocolSession, unionOf } from "./protocol-sessions.ts";
import type { NewRevocation } from "./revocations.ts";
import type { SessionRow } from "./session-records.ts";

/** What has been told to services and apps of a sign-in's endings. */
export interface Told {
  readonly revocations: readonly NewRevocation[];
  /** Apps that a logout token is on its way to. */
  readonly clientIds: readonly string[];
}

export const TOLD_NOTHING: Told = { revocations: [], clientIds: [] };

type NamedRevocation = Extract<NewRevocation, { readonly kind: "session" | "consent" }>;

type Ended = Pick<SessionRow, "id" | "end_scope" | "cleared"> & { readonly ended_grants: readonly string[] };

/**
 * The revocations of all that has ended of a sign-in. A whole one that ended names its offline grants as well: their
 * tokens carry no `sid` once the session is over. Where the store did not answer, everybody is told of the session.
 */
export function revocationsOf(ended: Ended, has: ProtocolSession | undefined): readonly NamedRevocation[] {
  const grants = has?.grants ?? [];
  const audiences = has === undefined ? "all" : unionOf(grants.map((grant) => grant.audiences));
  const consents = grants
    .filter(
      ({ id, outlivesSession }) => ended.ended_grants.includes(id) || (ended.end_scope === "whole" && outlivesSession),
    )
    .map((grant): NamedRevocation => ({ kind: "consent", grantId: grant.id, audiences: grant.audiences }));
  return ended.end_scope === null ? consents : [{ kind: "session", sessionId: ended.id, audiences }, ...consents];
}

/**
 * What is still to be told, now that it has been seen what really was there. Between the look and the end a parallel
 * request may have added a client, or an audience to a grant. Apps are told once: what a copy of the store brought back
 * they know of.
 */
export function stillUntold(ended: Ended, seen: ProtocolSession | undefined, told: Told): Told {
  if (seen === undefined) return TOLD_NOTHING;
  const isFirst = ended.end_scope !== null && ended.cleared === 0;
  return {
    revocations: revocationsOf(ended, seen).flatMap((revocation) => withoutTold(revocation, told.revocations)),
    clientIds: isFirst ? seen.clientIds.filter((id) => !told.clientIds.includes(id)) : [],
  };
}

function withoutTold(revocation: NamedRevocation, told: readonly NewRevocation[]): readonly NamedRevocation[] {
  const before = told.find((other) => isSame(other, revocation));
  if (before === undefined) return [revocation];
  if (!("audiences" in before) || before.audiences === "all") return [];
  const { audiences: knowing } = before;
  if (revocation.audiences === "all") return [revocation];
  const audiences = revocation.audiences.filter((audience) => !knowing.includes(audience));
  return audiences.length === 0 ? [] : [{ ...revocation, audiences }];
}

function isSame(left: NewRevocation, right: NamedRevocation): boolean {
  if (left.kind === "session" && right.kind === "session") return left.sessionId === right.sessionId;
  return left.kind === "consent" && right.kind === "consent" && left.grantId === right.grantId;
}
