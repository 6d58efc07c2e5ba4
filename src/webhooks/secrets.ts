import { z } from "zod";
import { hmacSha256, randomOctets, type Sealer } from "../core/index.ts";

/** A secret that signs, and until when. */
export interface WebhookSecret {
  /** Base64, as in what the operator was shown. */
  readonly octets: string;
  /** Absent of the newest. */
  readonly untilMs?: number | undefined;
}

const PURPOSE = "webhook-secret";
const PREFIX = "whsec_";
/** Standard Webhooks asks for 24 to 64. */
const SECRET_BYTES = 32;
/** Beside the newest. */
const OLD_SECRETS_MAX = 3;

const secretsSchema = z.array(z.strictObject({ octets: z.base64(), untilMs: z.number().optional() })).min(1);

export function createSecret(): WebhookSecret {
  return { octets: randomOctets(SECRET_BYTES).toString("base64") };
}

/** As Standard Webhooks spells it. */
export function spellSecret({ octets }: WebhookSecret): string {
  return `${PREFIX}${octets}`;
}

/** A new secret before those that are still good; `untilMs`: of the one that was the newest. */
export function addSecret(
  before: readonly WebhookSecret[],
  { secret, untilMs, nowMs }: { readonly secret: WebhookSecret; readonly untilMs: number; readonly nowMs: number },
): readonly WebhookSecret[] {
  const old = before.map(({ octets, untilMs: until }) => ({ octets, untilMs: until ?? untilMs }));
  return [secret, ...livingSecrets(old, nowMs).slice(0, OLD_SECRETS_MAX)];
}

export function livingSecrets(secrets: readonly WebhookSecret[], nowMs: number): readonly WebhookSecret[] {
  return secrets.filter(({ untilMs }) => untilMs === undefined || untilMs > nowMs);
}

export function sealSecrets(sealer: Sealer, id: string, secrets: readonly WebhookSecret[]): Buffer {
  return sealer.seal(PURPOSE, Buffer.from(JSON.stringify(secrets)), id);
}

/** `undefined` when no secret of ours opens them. */
export function openSecrets(sealer: Sealer, id: string, sealed: Uint8Array): readonly WebhookSecret[] | undefined {
  const opened = sealer.open(PURPOSE, sealed, id);
  return opened && secretsSchema.parse(JSON.parse(opened.toString()));
}

export interface SignedMessage {
  readonly id: string;
  readonly timestampSeconds: number;
  readonly body: string;
}

/**
 * The headers that prove who sent a message and when: one signature for each secret, the newest first.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signatureHeaders(
  { id, timestampSeconds, body }: SignedMessage,
  secrets: readonly WebhookSecret[],
): Readonly<Record<string, string>> {
  const signed = Buffer.from(`${id}.${timestampSeconds}.${body}`);
  const signatures = secrets.map(
    ({ octets }) => `v1,${hmacSha256(Buffer.from(octets, "base64"), signed).toString("base64")}`,
  );
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signatures.join(" "),
  };
}
