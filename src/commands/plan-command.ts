import { z } from "zod";
import type { MigrationPlan, PlannedMigration } from "../storage/index.ts";
import { type Command, defineCommand, type Services } from "./command.ts";
import { layOutTable } from "./text-layout.ts";

interface UpgradePlan extends MigrationPlan {
  /** Whether servers of the version before may run on while and after this is applied; it may be this one that is older. */
  readonly sideBySide: "yes" | "no";
  /** Servers that run now; absent where the database does not say. */
  readonly nodes: readonly { readonly name: string; readonly version: string }[] | undefined;
}

export const planCommand: Command = defineCommand({
  name: "plan",
  schema: "untouched",
  input: z.strictObject({}),
  run: async ({ migrations, nodes }): Promise<UpgradePlan> => {
    const plan = await migrations.plan();
    return { ...plan, sideBySide: mayRunSideBySide(plan), nodes: await listNodes(nodes) };
  },
  describe: describePlan,
});

function mayRunSideBySide({ pending, unknown, isNew }: MigrationPlan): UpgradePlan["sideBySide"] {
  return isNew || [...pending, ...unknown].every(({ sideBySide }) => sideBySide) ? "yes" : "no";
}

/** Before their table is there, nobody has said that they run. */
async function listNodes(nodes: Services["nodes"]): Promise<UpgradePlan["nodes"]> {
  const listed = await nodes.list().catch(() => undefined);
  return listed?.map(({ name, version }) => ({ name, version }));
}

function describePlan(plan: UpgradePlan): string {
  const { pending, unknown, isNew, sideBySide } = plan;
  if (unknown.length > 0) {
    const names = unknown.map(({ name }) => `  ${name}`).join("\n");
    const order = sideBySide === "yes" ? "may run on it meanwhile" : "may not run on it, and do not start";
    return `The database was used with a newer version than this one, which does not know:\n${names}\nServers of this version ${order}. Run "latchkey plan" of the newer version.`;
  }
  if (pending.length === 0) return "The database is up to date: there is nothing to migrate.";
  if (isNew) return `The database is empty. "latchkey migrate" makes its tables, and nobody waits for that.`;
  const count = pending.length === 1 ? "1 migration" : `${pending.length} migrations, in one transaction`;
  const rows = pending.map((one) => [one.name, describeLocks(one), one.sideBySide ? "yes" : "no"]);
  const table = layOutTable(["MIGRATION", "LOCKS", "SIDE BY SIDE"], rows);
  return `"latchkey migrate" would apply ${count}:\n\n${table}\n\n${describeWaiting(pending)}\n${describeOrder(plan)}`;
}

function describeLocks({ locks }: PlannedMigration): string {
  return locks.map(({ table, kind }) => `${table} (${kind})`).join(", ") || "none";
}

function describeWaiting(pending: readonly PlannedMigration[]): string {
  const locks = pending.flatMap((one) => one.locks);
  if (locks.length === 0) return "Locks: none, no request waits.";
  const slow = locks.filter(({ kind }) => kind === "rewrite");
  if (slow.length === 0) {
    return "Locks: short. Each waits for the transactions on its table, and is held for milliseconds; requests that need the table wait as long.";
  }
  const sizes = slow.map(({ table, bytes }) => `${table}${bytes === undefined ? "" : ` (${inMebibytes(bytes)} MiB)`}`);
  return `Locks: all are held while the rows of ${sizes.join(", ")} are gone through; requests that need a locked table are answered with 503 meanwhile. Try it on a copy to know how long.`;
}

function inMebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function describeOrder({ sideBySide, nodes }: UpgradePlan): string {
  const running = nodes === undefined || nodes.length === 0 ? "" : ` Running now: ${nodes.map(nameNode).join(", ")}.`;
  return sideBySide === "yes"
    ? `Old and new servers may run side by side: migrate, then replace servers one by one.${running}`
    : `Old and new servers may not run side by side: stop all servers, migrate, then start the new ones.${running}`;
}

function nameNode({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name} (${version})`;
}
