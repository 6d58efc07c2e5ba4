import { systemClock } from "../core/index.ts";
import { auditGroup } from "./audit-group.ts";
import { collectValue, type CommandLine, formatOf, JSON_OPTION, parseWholeNumber } from "./options.ts";
import { UsageError } from "./usage-error.ts";

interface ListOptions {
  readonly account?: string;
  readonly kind?: readonly string[];
  readonly client?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: number;
  readonly before?: string;
  readonly follow?: true;
  readonly after?: string;
  readonly json?: true;
}

const PAGE_SIZE = 100;

const LIST_EXAMPLES = `
A time is a date, a date with a time (UTC unless it says otherwise), or how long ago: 90s, 15m, 24h, 7d.

  latchkey audit list --account alice@example.com --since 7d
  latchkey audit list --kind sign_in_failed --kind sign_in_throttled --since 2026-11-30T08:00Z
  latchkey audit list --follow --json                 new events as they come, one a line
  latchkey audit list --follow --json --after 81243   the same, from behind a position that was read before
`;

export function addAuditListArguments({ program, choose, chooseCommand }: CommandLine): void {
  auditGroup(program)
    .command("list")
    .description("list what was recorded, the newest first, a page at a time")
    .option("--account <account>", "about this account, by id or email address")
    .option("--kind <type>", "of this name in docs/audit-events.md (repeatable)", collectValue)
    .option("--client <id>", "that name this client")
    .option("--since <time>", "from then on")
    .option("--until <time>", "before then")
    .option("--limit <count>", `events on a page, 1 to 1000 (default: ${PAGE_SIZE})`, parseWholeNumber)
    .option("--before <id>", "the last event of the page before")
    .option("--follow", "show new events as they come, until Ctrl-C; with --since, those from then on first")
    .option("--after <position>", "with --follow: go on behind this position; 0 for all that is kept")
    .option(...JSON_OPTION)
    .addHelpText("after", LIST_EXAMPLES)
    .action((options: ListOptions) => {
      const { account, kind: kinds, client } = options;
      const nowMs = systemClock.nowMs();
      const since = parseTime("--since", options.since, nowMs);
      const until = parseTime("--until", options.until, nowMs);
      const wanted = { account, kinds, client, since, until };
      if (options.follow !== true) {
        if (options.after !== undefined) throw new UsageError("--after goes with --follow.");
        const input = { ...wanted, limit: options.limit ?? PAGE_SIZE, before: options.before };
        return chooseCommand({ command: "audit list", input }, options);
      }
      if (until !== undefined || options.limit !== undefined || options.before !== undefined) {
        throw new UsageError("--follow has no end: --until, --limit and --before do not go with it.");
      }
      if (options.after !== undefined && !/^\d{1,18}$/.test(options.after)) {
        throw new UsageError("--after takes a position, as events have it in JSON.");
      }
      choose({ kind: "follow", wanted, after: options.after, format: formatOf(options) });
    });
}

const AGO_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** ISO 8601 in UTC; `undefined` for what was not given. */
function parseTime(option: string, text: string | undefined, nowMs: number): string | undefined {
  if (text === undefined) return undefined;
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return new Date(nowMs - Number(count) * (AGO_MS[unit] ?? 0)).toISOString();
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text);
  const hasZone = text.length === 10 || /(Z|[+-]\d\d:\d\d)$/.test(text);
  const time = new Date(hasZone ? text : `${text}Z`);
  if (!isTime || Number.isNaN(time.getTime())) {
    throw new UsageError(`${option} takes a time such as 2026-11-30, 2026-11-30T08:00Z or 24h.`);
  }
  return time.toISOString();
}
