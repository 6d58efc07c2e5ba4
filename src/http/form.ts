import type { Context } from "koa";
import type { z } from "zod";
import { AppError } from "../core/index.ts";
import type { MessageKey, SlotsOf } from "../../views/messages/index.ts";
import { type Message, message } from "./messages.ts";

export const FORM_BYTES_MAX = 64 * 1024;
const FORM_FIELDS_MAX = 50;

/** What was typed, by field name; untrusted. */
export type FormFields = Readonly<Record<string, string | undefined>>;

/** What is wrong with one field, to be shown beside it. */
export interface FieldError {
  readonly field: string;
  readonly message: Message;
  /** Of a new password that was refused. */
  readonly strength?: ShownStrength;
}

/** How well a password withstands guessing, in words. */
export interface ShownStrength {
  /** From 0 to 4. */
  readonly level: number;
  readonly words: Message;
  /** What makes it easy to guess. */
  readonly reasons: readonly Message[];
}

/** A form that was sent to us: its values, or what is to be fixed. `typed` is there either way, to show it again. */
export type SentForm<Values> =
  | { readonly kind: "valid"; readonly values: Values; readonly typed: FormFields }
  | { readonly kind: "faulty"; readonly errors: readonly FieldError[]; readonly typed: FormFields };

/** A message of the catalogue without slots, as the text of a zod check. */
export type FieldMessageKey = WithoutSlots<Extract<MessageKey, `field.${string}`>>;

type WithoutSlots<Key extends MessageKey> = Key extends unknown
  ? [SlotsOf<Key>] extends [never]
    ? Key
    : never
  : never;

/** Names the sentence that a failed zod check shows; the compiler knows that it exists. */
export function fieldMessage(key: FieldMessageKey): FieldMessageKey {
  return key;
}

/**
 * Reads the body of one of our own forms. Must not run on oidc-provider's routes, which read their bodies themselves.
 *
 * @param schema an object whose checks carry {@link fieldMessage} keys; unknown fields are dropped.
 * @throws `INPUT_INVALID` when it is no urlencoded form or names a field twice, `BODY_TOO_LARGE` above 64 KiB
 */
export async function readForm<Values>(ctx: Context, schema: z.ZodType<Values>): Promise<SentForm<Values>> {
  const typed = parseFields(await readBody(ctx));
  const result = schema.safeParse(typed);
  if (result.success) return { kind: "valid", values: result.data, typed };
  const errors = new Map<string, FieldError>();
  for (const issue of result.error.issues) {
    const field = String(issue.path[0]);
    // One sentence a field: the first thing to fix. A check without a sentence of ours has nothing to show.
    if (errors.has(field) || !issue.message.startsWith("field.")) continue;
    errors.set(field, { field, message: message(issue.message as FieldMessageKey) });
  }
  return { kind: "faulty", errors: [...errors.values()], typed };
}

/** The text of an urlencoded form. @throws `INPUT_INVALID`, `BODY_TOO_LARGE` above 64 KiB */
export async function readBody(ctx: Context): Promise<string> {
  if (ctx.is("application/x-www-form-urlencoded") !== "application/x-www-form-urlencoded") {
    throw new AppError("INPUT_INVALID", { detail: "not an urlencoded form" });
  }
  if (ctx.get("content-encoding") !== "") throw new AppError("INPUT_INVALID", { detail: "compressed form" });
  if (Number(ctx.get("content-length")) > FORM_BYTES_MAX) throw new AppError("BODY_TOO_LARGE");
  const chunks: Buffer[] = [];
  let byteCount = 0;
  // The stream must outlive a refusal, or the connection would be cut before the page that explains it is sent.
  for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) {
    const octets = Buffer.from(chunk);
    byteCount += octets.length;
    if (byteCount > FORM_BYTES_MAX) throw new AppError("BODY_TOO_LARGE");
    chunks.push(octets);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseFields(body: string): FormFields {
  const pairs = [...new URLSearchParams(body)];
  if (pairs.length > FORM_FIELDS_MAX) throw new AppError("INPUT_INVALID", { detail: "too many fields" });
  const fields: Record<string, string> = Object.create(null);
  for (const [name, value] of pairs) {
    // Two values for one name are read differently by different parsers: an ambiguity that attacks live on.
    if (name in fields) throw new AppError("INPUT_INVALID", { detail: "a field was sent twice" });
    fields[name] = value;
  }
  return fields;
}
