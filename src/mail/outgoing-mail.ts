import { z } from "zod";
import type { Sealer } from "../core/index.ts";
import { type MailKind, type MailVariables, TEMPLATES } from "./templates/index.ts";

/** A mail to be sent: of each kind with its variables. */
export type OutgoingMail<Kind extends MailKind = MailKind> = {
  readonly [Each in Kind]: {
    readonly kind: Each;
    /** One address, as the account has it: it is taken for nothing else. */
    readonly to: string;
    /** Of the person; English when they have said nothing, or we do not have it. */
    readonly locale: string | undefined;
    readonly variables: MailVariables<Each>;
  };
}[Kind];

const PURPOSE = "mail";

const sealedSchema = z.object({ to: z.string(), locale: z.string().optional(), variables: z.unknown() });

/** A mail as it lies in the outbox: nobody who reads the database can use a link of it. `id`: of its row, and no other. */
export function sealMail(sealer: Sealer, id: string, { to, locale, variables }: OutgoingMail): Buffer {
  return sealer.seal(PURPOSE, Buffer.from(JSON.stringify({ to, locale, variables })), id);
}

/** `undefined` when no secret of ours opens it, or its variables are not those of this version. */
export function openMail(
  sealer: Sealer,
  { id, kind, content }: { readonly id: string; readonly kind: MailKind; readonly content: Uint8Array },
): OutgoingMail | undefined {
  const opened = sealer.open(PURPOSE, content, id);
  const sealed = opened && sealedSchema.safeParse(JSON.parse(opened.toString())).data;
  if (sealed === undefined) return undefined;
  const variables = TEMPLATES[kind].variables.safeParse(sealed.variables);
  if (!variables.success) return undefined;
  return { kind, to: sealed.to, locale: sealed.locale, variables: variables.data } as OutgoingMail;
}
