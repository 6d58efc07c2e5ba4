import type { AuditEvent, AuditEventType } from "../audit/index.ts";
import type { OutgoingMail } from "../mail/index.ts";

/** When it happened and where it came from. */
export interface Happening {
  readonly atMs: number;
  readonly device?: string;
  readonly place?: string;
}

/** What a notice says beside the event itself. */
export interface NoticeContext {
  readonly happening: Happening;
  /** Name of the app that the event names. */
  readonly client: string | undefined;
}

/** A mail, but for whom it is. */
export type Notice = {
  [Kind in OutgoingMail["kind"]]: Pick<OutgoingMail<Kind>, "kind" | "variables">;
}[OutgoingMail["kind"]];

type Describe = (event: AuditEvent, context: NoticeContext) => Notice | undefined;

/** What people are told of at once, out of all that is recorded: what somebody else would do first who got in. */
export const NOTICES: Partial<Record<AuditEventType, Describe>> = {
  session_started: ({ data }, { happening, client }) =>
    data?.["newBrowser"] === true
      ? { kind: "notice.new_device", variables: { ...happening, ...(client === undefined ? {} : { client }) } }
      : undefined,
  password_changed: (_, { happening }) => ({ kind: "notice.password_changed", variables: happening }),
  password_reset: (_, { happening }) => ({ kind: "notice.password_changed", variables: happening }),
  factor_enrolled: ({ data }, { happening }) => {
    const factor = factorOf(data);
    return factor && { kind: "notice.factor_added", variables: { ...happening, factor } };
  },
  factor_removed: ({ data }, { happening }) => {
    const factor = factorOf(data);
    return factor && { kind: "notice.factor_removed", variables: { ...happening, factor } };
  },
  recovery_code_used: ({ data }, { happening }) => ({
    kind: "notice.recovery_code_used",
    variables: { ...happening, left: Number(data?.["left"] ?? 0) },
  }),
  // Whoever came with the spent token is an app or a thief, and neither is a device of the person.
  refresh_token_reused: ({ clientId = "" }, { happening: { atMs }, client = clientId }) => ({
    kind: "notice.access_reused",
    variables: { atMs, client },
  }),
  factors_reset: (_, { happening: { atMs } }) => ({ kind: "notice.factors_reset", variables: { atMs } }),
};

function factorOf(data: AuditEvent["data"]): "totp" | "passkey" | undefined {
  const factor = data?.["factor"];
  return factor === "totp" || factor === "passkey" ? factor : undefined;
}
