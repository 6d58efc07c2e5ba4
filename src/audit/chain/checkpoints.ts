import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { sql } from "kysely";
import { z } from "zod";
import type { Db } from "../../storage/index.ts";
import { type ChainKey, keyIdOf } from "./chain-key.ts";

const FORMAT = "latchkey-audit-checkpoint";

/**
 * What is signed. `checkpoint`: the chain had come so far. `anchor`: by retention it begins behind here, and events from
 * before `eventsSince` are gone.
 */
const statementSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(1),
  kind: z.enum(["checkpoint", "anchor"]),
  issuer: z.string(),
  position: z.string().regex(/^\d{1,18}$/),
  hash: z.string().regex(/^[0-9a-f]*$/),
  sealedAt: z.string(),
  signedAt: z.string(),
  key: z.string(),
  eventsSince: z.string().optional(),
});

export type Statement = z.infer<typeof statementSchema>;

export interface SignedStatement {
  /** JSON, to the letter as it was signed. */
  readonly statement: string;
  readonly signature: Uint8Array;
}

/** What `audit checkpoint` hands out: the statement as it was signed, the signature and the key that proves it. */
export const exportedSchema = z.strictObject({
  statement: z.string().max(10_000),
  signature: z.base64url(),
  publicKey: z.string().max(1_000),
});

export type ExportedCheckpoint = z.infer<typeof exportedSchema>;

export function signStatement(key: ChainKey, about: Omit<Statement, "format" | "version" | "key">): SignedStatement {
  const statement = JSON.stringify({ format: FORMAT, version: 1, ...about, key: key.id } satisfies Statement);
  return { statement, signature: key.sign(statement) };
}

/** `undefined` when it is not what the key signed. */
export function openStatement({ statement, signature }: SignedStatement, publicKey: KeyObject): Statement | undefined {
  if (!verify(null, Buffer.from(statement), publicKey, signature)) return undefined;
  const parsed = statementSchema.safeParse(parseJson(statement));
  return parsed.success && parsed.data.key === keyIdOf(publicKey) ? parsed.data : undefined;
}

/** `undefined` when none of the keys signed it. */
export function openTrusted(keys: ReadonlyMap<string, ChainKey>, signed: SignedStatement): Statement | undefined {
  for (const { publicKey } of keys.values()) {
    const statement = openStatement(signed, publicKey);
    if (statement !== undefined) return statement;
  }
  return undefined;
}

/** What the newest of a kind says, whoever signed it; `undefined` where there is none that says anything. */
export async function readUnproved(tx: Db, kind: Statement["kind"]): Promise<Statement | undefined> {
  const { rows } = await sql<Pick<SignedStatement, "statement">>`
    select statement from audit_checkpoints where kind = ${kind}
      order by audit_checkpoints.position desc limit 1`.execute(tx);
  return statementSchema.safeParse(parseJson(rows[0]?.statement ?? "")).data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What was exported, whoever's key it came with; `undefined` when the one does not prove the other. */
export function openExported({ statement, signature, publicKey }: ExportedCheckpoint): Statement | undefined {
  try {
    const key = createPublicKey(publicKey);
    return openStatement({ statement, signature: Buffer.from(signature, "base64url") }, key);
  } catch {
    return undefined;
  }
}

export function exportCheckpoint({ statement, signature }: SignedStatement, key: KeyObject): ExportedCheckpoint {
  return {
    statement,
    signature: Buffer.from(signature).toString("base64url"),
    publicKey: String(key.export({ type: "spki", format: "pem" })),
  };
}

interface SignedHead {
  readonly issuer: string;
  readonly position: bigint;
  readonly hash: Uint8Array;
  /** Microseconds since 1970. */
  readonly sealedAt: string;
  readonly signedAt: Date;
}

/** Signs how far the chain has come. */
export async function signHead(tx: Db, key: ChainKey, head: SignedHead): Promise<void> {
  const about = {
    kind: "checkpoint",
    issuer: head.issuer,
    position: String(head.position),
    hash: Buffer.from(head.hash).toString("hex"),
    sealedAt: new Date(Number(BigInt(head.sealedAt) / 1_000n)).toISOString(),
    signedAt: head.signedAt.toISOString(),
  } as const;
  await storeCheckpoint(tx, signStatement(key, about), about);
}

/** Of all checkpoints of an hour the last is kept: it proves what those before it proved. */
async function storeCheckpoint(
  tx: Db,
  signed: SignedStatement,
  { position, signedAt }: Pick<Statement, "position" | "signedAt">,
): Promise<void> {
  await sql`
    delete from audit_checkpoints where kind = 'checkpoint'
      and created_at >= date_trunc('hour', ${signedAt}::timestamptz) and position < ${position}::bigint`.execute(tx);
  await insertStatement(tx, signed, { kind: "checkpoint", position, signedAt });
}

export async function insertStatement(
  tx: Db,
  { statement, signature }: SignedStatement,
  { kind, position, signedAt }: Pick<Statement, "kind" | "position" | "signedAt">,
): Promise<void> {
  await sql`
    insert into audit_checkpoints (kind, position, statement, signature, created_at)
      values (${kind}, ${position}::bigint, ${statement}, ${Buffer.from(signature)}, ${signedAt}::timestamptz)
      on conflict (kind, position) do update
        set statement = excluded.statement, signature = excluded.signature, created_at = excluded.created_at`.execute(
    tx,
  );
}
