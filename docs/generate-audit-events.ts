import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AUDIT_EVENTS,
  type AuditEventType,
  EVENT_CATEGORIES,
  EVENT_DETAILS,
  EVENT_FACTS,
  type EventCategory,
} from "../src/audit/index.ts";
import { NOTICES } from "../src/notices/index.ts";
import { TOLD_EVENT_TYPES, UNTOLD_EVENTS } from "../src/self-service/index.ts";

/** Where the page lives; a test compares it with {@link auditEventsPage}. */
export const AUDIT_EVENTS_PAGE = join(import.meta.dirname, "audit-events.md");

const OPENING = `# Events of the audit log

<!-- Written by \`node docs/generate-audit-events.ts\` from src/audit, src/notices and src/self-service. Change the tables there. -->

Every event that Latchkey records, and what it says. [The audit log](audit.md) is how to read them, and how to send them
elsewhere. Names are never reused or renamed; new events come with new versions, so a program should let pass what it
does not know.

*actor* is who did it: a \`person\`, a \`visitor\` (who had not proved who they are), an \`operator\` (by a command), a \`client\`, or
the \`system\` itself. *outcome* is \`succeeded\`, \`denied\` (somebody was refused what they tried) or \`failed\` (what Latchkey
tried did not work out).
`;

const KINDS = { text: "text", number: "number", flag: "`true`", texts: "list of texts" } as const;

/** The whole page, from the catalogue. */
export function auditEventsPage(): string {
  const categories = Object.entries(EVENT_CATEGORIES).map(([category, meaning]) => {
    const events = allTypes().filter((type) => EVENT_DETAILS[type].category === category);
    return [`## ${titleOf(category)}\n\n${meaning}\n`, ...events.map(describe)].join("\n");
  });
  return [OPENING, ...categories].join("\n");
}

function allTypes(): readonly AuditEventType[] {
  return Object.keys(AUDIT_EVENTS).filter((type) => type in EVENT_DETAILS) as AuditEventType[];
}

function titleOf(category: string): string {
  return TITLES[category as EventCategory];
}

const TITLES: Readonly<Record<EventCategory, string>> = {
  account: "Accounts",
  sign_in: "Signing in",
  factor: "Sign-in methods",
  session: "Sessions",
  consent: "Consent",
  client: "Clients and resource servers",
  token: "Tokens",
  key: "Signing keys",
  audit: "Where the log is sent",
};

function describe(type: AuditEventType): string {
  const { data } = EVENT_DETAILS[type];
  const fields = Object.entries(data).map(
    ([name, [kind, meaning]]) => `- \`data.${name}\` (${KINDS[kind]}): ${meaning}.`,
  );
  const told = [
    NOTICES[type] === undefined ? undefined : "The person is told by mail.",
    isTold(type) ? "Shown on the account page." : `Not on the account page: ${untoldBecause(type)}`,
  ].filter((sentence) => sentence !== undefined);
  const lines = [`- ${actorsOf(type)}; \`${EVENT_FACTS[type].outcome}\`.`, ...fields, `- ${told.join(" ")}`];
  return `### ${type}\n\n${AUDIT_EVENTS[type]}\n\n${lines.join("\n")}\n`;
}

function actorsOf(type: AuditEventType): string {
  const facts: { readonly actor: string; readonly actorBy?: { readonly actors: Readonly<Record<string, string>> } } =
    EVENT_FACTS[type];
  const actors = new Set([facts.actor, ...Object.values(facts.actorBy?.actors ?? {})]);
  return `actor: ${[...actors].map((actor) => `\`${actor}\``).join(" or ")}`;
}

function isTold(type: AuditEventType): boolean {
  return TOLD_EVENT_TYPES.some((told) => told === type);
}

function untoldBecause(type: AuditEventType): string {
  const reasons: Partial<Record<AuditEventType, string>> = UNTOLD_EVENTS;
  const reason = reasons[type] ?? "";
  return reason.charAt(0).toLowerCase() + reason.slice(1);
}

if (import.meta.main) writeFileSync(AUDIT_EVENTS_PAGE, auditEventsPage());
