import type { EndScope } from "./ending.ts";

/** Whom tokens may be for; `all` where nobody knows. */
export type Audiences = readonly string[] | "all";

export function unionOf(audiences: readonly Audiences[]): Audiences {
  const names = audiences.flatMap((some) => (some === "all" ? [] : some));
  return audiences.includes("all") ? "all" : [...new Set(names)];
}

/** What one client may do within one sign-in, as the protocol store has it. */
export interface ProtocolGrant {
  readonly id: string;
  /** Absent when the store no longer knows what was granted. */
  readonly clientId: string | undefined;
  /** The `aud` of the tokens that it may have given. */
  readonly audiences: Audiences;
  /** When it was given, or tokens of it were refreshed last; seconds since the Unix epoch, 0 where nobody knows. */
  readonly lastUsedAt: number;
  /** Given for longer than the session (`offline_access`). */
  readonly outlivesSession: boolean;
}

/** A sign-in as the protocol store has it. */
export interface ProtocolSession {
  readonly id: string;
  /** The session itself has neither ended nor expired; grants may be there without it. */
  readonly isAlive: boolean;
  /** Seconds since the Unix epoch; 0 where the session is over. */
  readonly begunAt: number;
  /** Exact to the session's own use; a session near its absolute end shows when it was last refreshed. */
  readonly lastUsedAt: number;
  readonly acr: string | undefined;
  readonly amr: readonly string[];
  /** The clients that were used in the session, whether or not they hold a grant. */
  readonly clientIds: readonly string[];
  readonly grants: readonly ProtocolGrant[];
}

/** Reads what the protocol store has of these sign-ins; one of which it has nothing is not in the answer. */
export type ReadProtocolSessions = (ids: readonly string[]) => Promise<ReadonlyMap<string, ProtocolSession>>;

/** What is to be gone from the protocol store. */
export interface Clearing {
  /** `undefined`: the session goes on, and only grants end. */
  readonly scope: EndScope | undefined;
  readonly endedGrantIds: readonly string[];
}

export interface Cleared {
  /** What was there and went, or stayed, including what came while it was being cleared. */
  readonly seen: ProtocolSession | undefined;
  /** Nothing of the sign-in is left. */
  readonly isEmpty: boolean;
}

/** How the protocol store is read and changed from here; `oidc` implements it. */
export interface ProtocolSessions {
  readonly read: ReadProtocolSessions;
  /** Idempotent; afterwards no write that was under way brings back what ended. */
  clear(id: string, clearing: Clearing): Promise<Cleared>;
}
