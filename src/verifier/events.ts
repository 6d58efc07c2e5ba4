import { VerifierError } from "./errors.ts";
import type { RevocationRecord } from "./revoked-set.ts";

/** What a verifier tells, by the name of the event. */
export interface VerifierEvents {
  /** The feed is up to date, after it was not. */
  readonly live: { readonly position: string };
  /** No heartbeat came for `staleAfterMs`, or a record came that this version does not understand. */
  readonly stale: { readonly reason: "silence" | "unknown_kind" };
  /** A revocation is in force from now on; also those of a snapshot. */
  readonly revocation: RevocationRecord & { readonly id: string };
  /** Something went wrong that the verifier goes on trying about: log it. */
  readonly error: VerifierError;
}

export type Listener<Name extends keyof VerifierEvents> = (event: VerifierEvents[Name]) => void;

export interface EventHub {
  on<Name extends keyof VerifierEvents>(name: Name, listener: Listener<Name>): () => void;
  emit<Name extends keyof VerifierEvents>(name: Name, event: VerifierEvents[Name]): void;
}

/** What a listener throws becomes an `error` event: it must neither end the feed nor undo what was applied. */
export function createEventHub(): EventHub {
  const listeners: { readonly [Name in keyof VerifierEvents]: Set<Listener<Name>> } = {
    live: new Set(),
    stale: new Set(),
    revocation: new Set(),
    error: new Set(),
  };

  function emit<Name extends keyof VerifierEvents>(name: Name, event: VerifierEvents[Name]): void {
    for (const listener of listeners[name]) {
      try {
        listener(event);
      } catch (cause) {
        // A listener of errors that fails has nobody left to tell.
        if (name !== "error")
          emit("error", new VerifierError("verifier_failed", { detail: "a listener threw", cause }));
      }
    }
  }

  return {
    on(name, listener) {
      // Wrapped, so that one function given twice counts twice and each is taken away by itself.
      const own: Listener<typeof name> = (event) => listener(event);
      listeners[name].add(own);
      return () => {
        listeners[name].delete(own);
      };
    },
    emit,
  };
}
