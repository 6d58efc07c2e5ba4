import { type Insertable, sql } from "kysely";
import type { Audit } from "../../audit/index.ts";
import { type Clock, randomToken } from "../../core/index.ts";
import type { Db } from "../../storage/index.ts";
import { ACCOUNT_ID_BYTES, type AccountTable, accountIdsAmong, withAccountTables } from "../account-records.ts";
import { reservedAmong } from "../confirmations/confirmation-records.ts";
import { formerIdsAmong } from "../former-accounts.ts";
import type { FirebaseParameters } from "../passwords/foreign/firebase.ts";
import { type ImportedPerson, parsePerson } from "./parse-person.ts";

/** Part of a file of people. Untrusted. */
export interface ImportBatch {
  readonly lines: readonly ImportLine[];
  readonly firebase?: FirebaseParameters | undefined;
  /** `dryRun` says what would become of each line, and changes nothing. */
  readonly mode: "import" | "dryRun";
}

export interface ImportLine {
  /** In the file, from 1. */
  readonly line: number;
  /** A JSON object. */
  readonly text: string;
}

/** What became of the lines of a batch. The problems hold nothing of what stands there. */
export interface ImportReport {
  readonly imported: number;
  /** Lines of people whose address has an account: it is left as it is. */
  readonly present: readonly number[];
  readonly refused: readonly { readonly line: number; readonly problem: string }[];
}

export interface ImportDependencies {
  readonly db: Db;
  readonly clock: Clock;
  readonly audit: Audit;
  /** Those of the ids that clients have; until the transaction ends no client is added. */
  readonly clientIdsAmong: (tx: Db, ids: readonly string[]) => Promise<ReadonlySet<string>>;
}

interface Candidate {
  readonly line: number;
  readonly person: ImportedPerson;
}

type Refusal = ImportReport["refused"][number];

/**
 * Adds people as another system had them. All of a batch is added in one transaction, so that repeating it after
 * whatever went wrong finds each person either here or not.
 */
export function createImport(deps: ImportDependencies) {
  return async function importPeople({ lines, firebase, mode }: ImportBatch): Promise<ImportReport> {
    const now = new Date(deps.clock.nowMs());
    const refused: Refusal[] = [];
    const candidates: Candidate[] = [];
    for (const { line, text } of lines) {
      const parsed = parsePerson(text, { firebase, now });
      if (parsed.kind === "person") candidates.push({ line, person: parsed.person });
      else refused.push({ line, problem: parsed.problem });
    }
    const outcome = await deps.db.transaction().execute(async (tx) => {
      const sorted = await sortOut({ ...deps, db: tx }, { now, candidates });
      const added = mode === "dryRun" ? sorted.fresh : await addAll({ ...deps, db: tx }, { now, people: sorted.fresh });
      return { sorted, added };
    });
    return summarize(outcome, refused);
  };
}

interface Unsorted {
  readonly now: Date;
  readonly candidates: readonly Candidate[];
}

interface Sorted {
  readonly fresh: readonly Candidate[];
  readonly present: readonly Candidate[];
  readonly refused: readonly Refusal[];
}

/** Who is there already, whose id or address cannot be had, and who is new. Of two lines with one address the first counts. */
async function sortOut(deps: ImportDependencies, { now, candidates }: Unsorted): Promise<Sorted> {
  const folded = candidates.map(({ person }) => person.email.folded);
  const emails = await emailsAmong(deps.db, folded);
  // Looked up last: an address that leaves its account in between is found in the one place or in the other.
  const reserved = await reservedAmong(deps.db, folded, { now });
  const ids = candidates.map(({ person }) => person.id).filter((id) => id !== undefined);
  const taken = await listTakenIds(deps, ids);
  const present: Candidate[] = [];
  const refused: Refusal[] = [];
  const fresh: Candidate[] = [];
  for (const candidate of candidates) {
    const { line, person } = candidate;
    const ofId = person.id === undefined ? undefined : taken.get(person.id);
    const problem = reserved.has(person.email.folded) ? RESERVED : ofId;
    if (emails.has(person.email.folded)) present.push(candidate);
    else if (problem !== undefined) refused.push({ line, problem });
    else fresh.push(candidate);
    emails.add(person.email.folded);
    if (person.id !== undefined && problem === undefined) taken.set(person.id, TAKEN_BY_ACCOUNT);
  }
  return { fresh, present, refused };
}

const TAKEN_BY_ACCOUNT = "id is that of another account";
const RESERVED = "email was another account's in the last 72 hours, which may still take it back";

/** Why each of these ids cannot be had; what is not in the answer can. */
async function listTakenIds({ db, clientIdsAmong }: ImportDependencies, ids: readonly string[]) {
  const problems = new Map<string, string>();
  if (ids.length === 0) return problems;
  for (const id of await clientIdsAmong(db, ids)) problems.set(id, "id is that of a client");
  for (const id of await formerIdsAmong(db, ids)) problems.set(id, "id was that of an account that was deleted");
  for (const id of await accountIdsAmong(db, ids)) problems.set(id, TAKEN_BY_ACCOUNT);
  return problems;
}

async function emailsAmong(db: Db, emails: readonly string[]): Promise<Set<string>> {
  const rows = await withAccountTables(db)
    .selectFrom("accounts")
    .select("email_folded")
    .where("email_folded", "=", sql<string>`any(${emails})`)
    .execute();
  return new Set(rows.map((row) => row.email_folded));
}

/** Those who were added: somebody may have registered with such an address meanwhile. */
async function addAll(
  { db, audit }: ImportDependencies,
  { now, people }: { readonly now: Date; readonly people: readonly Candidate[] },
): Promise<readonly Candidate[]> {
  if (people.length === 0) return [];
  const rows = people.map(({ person }) => toRow(person, now));
  const added = await withAccountTables(db)
    .insertInto("accounts")
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .execute();
  const addedIds = new Set(added.map(({ id }) => id));
  const kept = people.filter((_, at) => addedIds.has(rows[at]?.id ?? ""));
  for (const { id: accountId } of added) {
    const isKept = people.some(({ person }) => person.id === accountId);
    await audit.append(db, { type: "account_imported", accountId, data: isKept ? { keptId: true } : {} });
  }
  return kept;
}

function toRow(person: ImportedPerson, now: Date): Insertable<AccountTable> {
  return {
    id: person.id ?? randomToken(ACCOUNT_ID_BYTES),
    email: person.email.address,
    email_folded: person.email.folded,
    email_verified: person.isEmailVerified,
    name: person.name,
    locale: person.locale ?? null,
    password_hash: person.passwordHash,
    password_changed_at: person.createdAt,
    proofs_since: null,
    created_at: person.createdAt,
    updated_at: now,
    disabled_at: person.isDisabled ? now : null,
  };
}

function summarize(
  { sorted, added }: { readonly sorted: Sorted; readonly added: readonly Candidate[] },
  unreadable: readonly Refusal[],
): ImportReport {
  const late = sorted.fresh.filter((candidate) => !added.includes(candidate));
  return {
    imported: added.length,
    present: [...sorted.present, ...late].map(({ line }) => line).toSorted((left, right) => left - right),
    refused: [...unreadable, ...sorted.refused].toSorted((left, right) => left.line - right.line),
  };
}
