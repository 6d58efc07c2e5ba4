/**
 * `npm run bench -- [scenario …] [--json FILE]`: measures Latchkey beside `customary`, which is bare oidc-provider with
 * the usual Redis adapter, in one run and on one machine.
 *
 * - `scenarios/` says what is measured.
 * - `variants/` are the servers under test, each in a process of its own, reached over HTTP as apps reach them.
 * - `load/` are the clients: people with browsers, an app, a service, and the closed loop that drives them.
 * - `customary/` is what we compare with.
 *
 * The variants take turns and rounds are summarized by their median: absolute times depend on the machine and on its
 * mood, ratios of one run do not. See docs/benchmarks.md.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { describeMachine } from "./machine.ts";
import { formatTable, type Row } from "./report.ts";
import { IS_WITHIN_MARGIN, runEnumerationScenario } from "./scenarios/enumeration.ts";
import { runProcessesScenario } from "./scenarios/processes.ts";
import { runRevocationScenario } from "./scenarios/revocation.ts";
import { runStorageScenario } from "./scenarios/storage.ts";
import { runTokenScenario } from "./scenarios/token.ts";
import { runValidationScenario } from "./scenarios/validation.ts";
import { customary } from "./variants/customary.ts";
import { latchkey } from "./variants/latchkey.ts";
import { buildPrograms } from "./variants/programs.ts";

const SCENARIOS = ["token", "refresh", "processes", "revocation", "validation", "storage", "enumeration"] as const;
const VARIANTS = [customary, latchkey];

const USAGE = `npm run bench -- [token] [refresh] [processes] [revocation] [validation] [storage] [enumeration] [--json FILE]
  --rounds N       measured rounds of each kind of request (5)
  --requests N     requests of a kind per variant and round, at most 10000 (3000)
  --concurrency N  requests in flight (32)
  --people N       people in the storage scenario (100000)
  --sessions N     sessions that are ended by each approach in the revocation scenario (100)
  --tokens N       tokens in the validation scenario (2000)
  --tries N        tries of each kind in the enumeration scenario (500)`;

class UsageError extends Error {}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "string" },
      rounds: { type: "string", default: "5" },
      requests: { type: "string", default: "3000" },
      concurrency: { type: "string", default: "32" },
      people: { type: "string", default: "100000" },
      sessions: { type: "string", default: "100" },
      tokens: { type: "string", default: "2000" },
      tries: { type: "string", default: "500" },
    },
  });
  const scenarios = positionals.length === 0 ? SCENARIOS : positionals.map(parseScenario);
  const progress = (line: string): void => console.error(line);
  await buildPrograms();
  console.log(await describeMachine());

  async function run(scenario: (typeof SCENARIOS)[number]): Promise<readonly Row[]> {
    if (scenario === "storage") {
      return runStorageScenario(VARIANTS, { personCount: parseCount(values.people, 1e7), progress });
    }
    // Each session that is ended is one person's.
    if (scenario === "revocation") {
      return runRevocationScenario({ sessionCount: parseCount(values.sessions, 1_000), progress });
    }
    if (scenario === "validation") {
      return runValidationScenario({ tokenCount: parseCount(values.tokens, 100_000), progress });
    }
    if (scenario === "enumeration") {
      return runEnumerationScenario({ tryCount: parseCount(values.tries, 10_000), progress });
    }
    const rounds = parseCount(values.rounds, 100);
    // A code lives for a minute: more requests than this could outlast it between sign-in and redemption.
    const requestCount = parseCount(values.requests, 10_000);
    const workerCount = parseCount(values.concurrency, 256);
    const load = { rounds, requestCount, workerCount, progress };
    return scenario === "processes" ? runProcessesScenario(load) : runTokenScenario(VARIANTS, { scenario, ...load });
  }

  const rows: Row[] = [];
  for (const scenario of scenarios) rows.push(...(await run(scenario)));
  console.log(`\n${formatTable(rows)}`);
  if (rows.some(({ metric, value }) => metric === IS_WITHIN_MARGIN && value === 0)) process.exitCode = 1;
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`);
}

function parseScenario(name: string): (typeof SCENARIOS)[number] {
  const scenario = SCENARIOS.find((known) => known === name);
  if (scenario === undefined) throw new UsageError(`There is no scenario ${name}.\n${USAGE}`);
  return scenario;
}

function parseCount(text: string, most: number): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > most) {
    throw new UsageError(`${text} is not a number from 1 to ${most}.\n${USAGE}`);
  }
  return count;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
