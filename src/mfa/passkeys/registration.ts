import { AppError } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import type { FactorServices } from "../dependencies.ts";
import { recordEnrollment } from "../enrolling.ts";
import { parseFactorName } from "../factor-name.ts";
import type { Passkeys } from "../factors.ts";
import { countFactors, holdFactors } from "../tables.ts";
import { type Challenges, type ChallengeUse, useUpChallenge } from "./challenges.ts";
import { refusePasskey } from "./faults.ts";
import { insertPasskey, listDescriptors, type NewPasskey } from "./records.ts";
import { parseRegistrationResponse } from "./responses.ts";
import {
  ALGORITHMS,
  type Checked,
  checkRegistration,
  loadWebAuthn,
  type NewPasskeyFacts,
  type PasskeyFault,
  type RelyingParty,
} from "./webauthn.ts";

const PASSKEYS_MAX = 20;
/** What the browser waits; recommended where the person is verified (WebAuthn Level 3, section 15.1). */
const TIMEOUT_MS = 5 * 60 * 1_000;

interface Deps {
  readonly services: FactorServices;
  readonly challenges: Challenges;
  readonly party: RelyingParty;
}

type Attempt = Parameters<Passkeys["register"]>[1];

export function createPasskeyRegistration(deps: Deps): Pick<Passkeys, "creationOptions" | "register"> {
  const { services, challenges, party } = deps;
  return {
    async creationOptions(account, binding) {
      await checkRoom(services.db, account.id);
      const { generateRegistrationOptions } = await loadWebAuthn();
      return generateRegistrationOptions({
        rpID: party.id,
        rpName: party.name,
        userID: Uint8Array.from(Buffer.from(account.id)),
        userName: account.email,
        userDisplayName: account.name,
        challenge: Uint8Array.from(challenges.issue(useOf(account.id, binding))),
        attestationType: "none",
        excludeCredentials: await listDescriptors(services.db, account.id),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        supportedAlgorithmIDs: ALGORITHMS,
        timeout: TIMEOUT_MS,
      });
    },
    async register(accountId, attempt) {
      const name = parseFactorName(attempt.name);
      const { source } = attempt;
      const refuse = (fault: PasskeyFault) => refusePasskey(services, { fault, source, accountId });
      const checked = await check(deps, accountId, attempt);
      if (checked.fault !== undefined) return refuse(checked.fault);
      const { facts } = checked;
      const createdAt = new Date(services.clock.nowMs());
      const fault = await services.db.transaction().execute(async (tx) => {
        if (!(await useUpChallenge(tx, facts.challenge))) return "challenge_replayed";
        return add(services, tx, { passkey: { accountId, name, facts, createdAt }, source });
      });
      return fault === undefined ? { outcome: "accepted", isSynced: facts.isSynced } : refuse(fault);
    },
  };
}

/** A challenge is for the account that it was made for, too. */
function useOf(accountId: string, binding: string): ChallengeUse {
  return { ceremony: "create", binding: JSON.stringify([accountId, binding]) };
}

async function check(
  { challenges, party }: Deps,
  accountId: string,
  attempt: Attempt,
): Promise<Checked<NewPasskeyFacts>> {
  const response = parseRegistrationResponse(attempt.response);
  if (response === undefined) return { fault: "malformed" };
  const use = useOf(accountId, attempt.binding);
  const checkChallenge = (challenge: string) => challenges.check(use, challenge);
  return checkRegistration(response, { party, checkChallenge });
}

async function add(
  services: FactorServices,
  tx: Db,
  { passkey, source }: { readonly passkey: NewPasskey; readonly source: Attempt["source"] },
): Promise<PasskeyFault | undefined> {
  await holdFactors(tx, passkey.accountId);
  await checkRoom(tx, passkey.accountId);
  if (!(await insertPasskey(tx, passkey))) return "already_registered";
  await recordEnrollment(services, tx, { accountId: passkey.accountId, factor: "passkey", source });
  return undefined;
}

async function checkRoom(db: Db, accountId: string): Promise<void> {
  const { passkeys } = await countFactors(db, accountId);
  if (passkeys >= PASSKEYS_MAX) throw new AppError("FACTOR_LIMIT_REACHED");
}
