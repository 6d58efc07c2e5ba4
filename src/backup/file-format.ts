import { z } from "zod";

/**
 * A backup file begins with one line of JSON that people can read, too. Behind it lies the compressed content, whose first
 * line holds the secret and the others the records of the copy; and last the SHA-256 of all before it.
 */
const FORMAT = "latchkey-backup";
const FORMAT_VERSION = 1;
const KEEP_SAFE = "This file holds the secret that opens the signing keys: keep it as safe as the server itself.";

export const HEADER_BEGINS = `{"format":"${FORMAT}",`;
export const DIGEST_BYTES = 32;

export interface BackupHeader {
  readonly createdAt: string;
  readonly issuer: string;
  /** The migrations that the data has had, oldest first. */
  readonly migrations: readonly string[];
  /** Whether it was sealed under LATCHKEY_SECRET as well, which is not in the file. */
  readonly needsLatchkeySecret: boolean;
}

export const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  formatVersion: z.literal(FORMAT_VERSION),
  keepSafe: z.string(),
  createdAt: z.string(),
  issuer: z.string(),
  migrations: z.array(z.string()).min(1),
  needsLatchkeySecret: z.boolean(),
});

export const secretSchema = z.strictObject({ kind: z.literal("secret"), secret: z.string() });

export function headerLine({ createdAt, issuer, migrations, needsLatchkeySecret }: BackupHeader): Buffer {
  const opening = { format: FORMAT, formatVersion: FORMAT_VERSION, keepSafe: KEEP_SAFE } as const;
  const header = { ...opening, createdAt, issuer, migrations: [...migrations], needsLatchkeySecret };
  return jsonLine(header satisfies z.infer<typeof headerSchema>);
}

export function secretLine(secret: string): Buffer {
  return jsonLine({ kind: "secret", secret } satisfies z.infer<typeof secretSchema>);
}

export function jsonLine(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
