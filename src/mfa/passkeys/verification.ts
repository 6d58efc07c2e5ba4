import { type FactorServices, originOf } from "../dependencies.ts";
import type { FactorSource, Passkeys } from "../factors.ts";
import { type Challenges, type ChallengeUse, useUpChallenge } from "./challenges.ts";
import { refusePasskey } from "./faults.ts";
import { findPasskey, listDescriptors, moveCounter, type StoredPasskey } from "./records.ts";
import { type AssertionResponse, parseAssertionResponse } from "./responses.ts";
import { type Checked, checkAssertion, type RelyingParty, type UsedPasskeyFacts } from "./webauthn.ts";

const TIMEOUT_MS = 5 * 60 * 1_000;

interface Deps {
  readonly services: FactorServices;
  readonly challenges: Challenges;
  readonly party: RelyingParty;
}

type Attempt = Parameters<Passkeys["verify"]>[0];
type Outcome = Awaited<ReturnType<Passkeys["verify"]>>;

export function createPasskeyVerification(deps: Deps): Pick<Passkeys, "requestOptions" | "verify"> {
  const { services, challenges, party } = deps;
  return {
    async requestOptions(binding, accountId) {
      const named = accountId === undefined ? [] : await listDescriptors(services.db, accountId);
      // Written by hand: every sign-in page has these, and most servers never load what checks the answer.
      return {
        rpId: party.id,
        challenge: Buffer.from(challenges.issue(useOf(binding))).toString("base64url"),
        userVerification: "required",
        timeout: TIMEOUT_MS,
        // None named: the person chooses among all that their devices have for this place.
        allowCredentials: named.map(({ id, transports }) => ({ id, transports, type: "public-key" })),
      };
    },
    async verify(attempt) {
      const { source } = attempt;
      const response = parseAssertionResponse(attempt.response);
      const passkey = response && (await findPasskey(services.db, response.id));
      const checked = await check(deps, attempt, { response, passkey });
      const accountId = attempt.accountId ?? passkey?.accountId;
      if (checked.fault !== undefined) return refusePasskey(services, { fault: checked.fault, source, accountId });
      return accept(services, checked, source);
    },
  };
}

function useOf(binding: string): ChallengeUse {
  return { ceremony: "get", binding };
}

interface Use {
  readonly passkey: StoredPasskey;
}

async function check(
  { challenges, party }: Deps,
  attempt: Attempt,
  {
    response,
    passkey,
  }: { readonly response: AssertionResponse | undefined; readonly passkey: StoredPasskey | undefined },
): Promise<Checked<UsedPasskeyFacts & Use>> {
  if (response === undefined) return { fault: "malformed" };
  if (passkey === undefined) return { fault: "unknown_passkey" };
  if (!belongs(passkey, attempt.accountId, response.response.userHandle)) return { fault: "other_account" };
  const checkChallenge = (challenge: string) => challenges.check(useOf(attempt.binding), challenge);
  const checked = await checkAssertion(response, passkey, { party, checkChallenge });
  if (checked.fault !== undefined) return checked;
  // Whether a passkey can be synchronized never changes (WebAuthn Level 3, section 7.2).
  if (checked.facts.isSynced !== passkey.isSynced) return { fault: "kind_changed" };
  return { facts: { ...checked.facts, passkey } };
}

function belongs(
  { accountId }: StoredPasskey,
  wantedAccountId: string | undefined,
  userHandle: string | null | undefined,
): boolean {
  const isWanted = wantedAccountId === undefined || wantedAccountId === accountId;
  // The authenticator's own word for whose it is: the account's id, as it was told at the making.
  const isNamed = typeof userHandle !== "string" || Buffer.from(userHandle, "base64url").toString() === accountId;
  return isWanted && isNamed;
}

async function accept(
  services: FactorServices,
  { facts }: Extract<Checked<UsedPasskeyFacts & Use>, { facts: object }>,
  source: FactorSource,
): Promise<Outcome> {
  const { db, clock, audit } = services;
  const { passkey, challenge } = facts;
  const { accountId } = passkey;
  const fault = await db.transaction().execute(async (tx) => {
    if (!(await useUpChallenge(tx, challenge))) return "challenge_replayed";
    const about = { accountId, ...originOf(source) };
    if (await moveCounter(tx, passkey, { ...facts, usedAt: new Date(clock.nowMs()) })) {
      await audit.append(tx, { type: "factor_verified", data: { factor: "passkey" }, ...about });
      return undefined;
    }
    if ((await findPasskey(tx, passkey.id)) === undefined) return "unknown_passkey";
    await audit.append(tx, { type: "passkey_clone_suspected", ...about });
    return "counter";
  });
  if (fault === undefined) {
    return { outcome: "accepted", accountId, proof: passkey.isSynced ? "passkey_swk" : "passkey_hwk" };
  }
  return fault === "counter" ? { outcome: "refused" } : refusePasskey(services, { fault, source, accountId });
}
