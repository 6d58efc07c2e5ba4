import { ends, grantOf, isToldTo, refuses } from "./ending.ts";
import type { EndingCall, History, RecordedRevocation, TokenFacts } from "./history.ts";

/** When a token had to be refused. Infinity: never. */
export interface Refusal {
  /** By whoever had applied the revocation with this id. */
  readonly firstId: number;
  /** The same, of records that perhaps only other services are told of: while an end is under way it may be unknown whom it concerns. */
  readonly firstRecordedId: number;
  /** By everybody who was asked after this. */
  readonly acknowledgedAtMs: number;
}

/** Finds what ended a token without going through the whole history for each. */
export interface RevocationIndex {
  of(token: TokenFacts): Refusal;
  /** All attempts to end anything in this session. */
  listEndings(sid: string): readonly EndingCall[];
}

export function createRevocationIndex({ calls, records }: History): RevocationIndex {
  const endings = calls.filter((call) => call.type === "ending");
  const sidOfGrant = new Map<string, string>();
  const sidOfToken = new Map<string, string>();
  for (const call of calls) {
    const token = call.type === "issuance" && call.answer.type === "issued" ? call.answer.token : undefined;
    if (token === undefined) continue;
    sidOfGrant.set(grantOf(token), token.sid);
    sidOfToken.set(token.jti, token.sid);
  }
  const endingsBySession = Map.groupBy(endings, ({ ending }) => {
    if (ending.kind === "session") return ending.sid;
    return ending.kind === "grant" ? sidOfGrant.get(ending.grant) : sidOfToken.get(ending.jti);
  });
  const named = Map.groupBy(records, ({ value }) => value);
  const general = records.filter(({ kind }) => kind === "epoch");
  const known = new Map<string, Refusal>();
  const listEndings = (sid: string): readonly EndingCall[] => endingsBySession.get(sid) ?? [];

  function listRecords(token: TokenFacts): readonly RecordedRevocation[] {
    const names = new Set([token.jti, token.sid, grantOf(token), token.sub, token.clientId]);
    return [...general, ...[...names].flatMap((name) => named.get(name) ?? [])];
  }

  function find(token: TokenFacts): Refusal {
    const matching = listRecords(token).filter((record) => refuses(record, token));
    const told = matching.filter((record) => isToldTo(record, token));
    const acknowledged = listEndings(token.sid)
      .filter(({ ending, answer }) => answer === "acknowledged" && ends(ending, token))
      .map(({ endMs }) => endMs);
    return {
      firstId: Math.min(...told.map(({ id }) => id)),
      firstRecordedId: Math.min(...matching.map(({ id }) => id)),
      acknowledgedAtMs: Math.min(...acknowledged),
    };
  }

  return {
    listEndings,
    of(token) {
      const refusal = known.get(token.jti) ?? find(token);
      known.set(token.jti, refusal);
      return refusal;
    },
  };
}
