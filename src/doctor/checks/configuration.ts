import type { SettingKey } from "../../config/index.ts";
import type { RunningNode } from "../../nodes/index.ts";
import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, warning, whenSeen } from "../finding.ts";
import { nameNode } from "./nodes.ts";

/** What a node has for itself: where it listens, and what counts at its start only. */
const OWN: ReadonlySet<string> = new Set<SettingKey>([
  "HOST",
  "PORT",
  "METRICS_HOST",
  "METRICS_PORT",
  "DATA_DIR",
  "CONFIG_FILE",
  "MIGRATIONS",
]);

/** What only operators notice. */
const MINOR: ReadonlySet<string> = new Set<SettingKey>([
  "LOG_LEVEL",
  "DATABASE_POOL_MAX",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_SERVICE_NAME",
  "OTEL_TRACES_SAMPLER_ARG",
]);

/** Whether all nodes have the same settings. Secrets are compared, and shown, by their digests alone. */
export function checkConfiguration({ nodes }: Deployment): readonly Finding[] {
  return whenSeen("configuration", nodes, (running) => {
    if (running.length === 0) return [];
    const keys = new Set(
      running.flatMap(({ settings }) => [...Object.keys(settings.plain), ...Object.keys(settings.secret)]),
    );
    const findings = [
      ...compareSecrets(running),
      ...[...keys].filter((key) => !OWN.has(key)).flatMap((key) => compareKey(running, key)),
    ];
    return findings.length === 0 ? [allAlike(running)] : findings;
  });
}

function allAlike(running: readonly RunningNode[]): Finding {
  return ok(
    "configuration",
    running.length === 1
      ? "There is one server, and nothing that its settings could differ from."
      : `All ${running.length} servers have the same settings.`,
  );
}

function compareSecrets(running: readonly RunningNode[]): readonly Finding[] {
  if (new Set(running.map(({ settings }) => settings.secretNames.join())).size === 1) return [];
  const lists = describeEach(running, ({ settings }) => `digests ${settings.secretNames.join(", ")}`);
  const meaning = `LATCHKEY_SECRET differs: ${lists}.`;
  return [
    findShared(running) === undefined
      ? failure(
          "configuration.LATCHKEY_SECRET",
          `${meaning} What one node signs or seals, another cannot read.`,
          "Give all nodes the same list, and restart those that differ.",
        )
      : warning(
          "configuration.LATCHKEY_SECRET",
          `${meaning} They share one, so that they read each other's keys; cookies of the newest are refused elsewhere.`,
          "Restart the nodes that do not have the new list yet.",
        ),
  ];
}

function compareKey(running: readonly RunningNode[], key: string): readonly Finding[] {
  const shared = findShared(running);
  if (new Set(running.map((node) => valueOf(node, key, shared))).size === 1) return [];
  const values = describeEach(running, (node) => valueOf(node, key, shared));
  const find = MINOR.has(key) ? warning : failure;
  return [
    find(
      `configuration.${key}`,
      `${key} differs: ${values}. What people and apps meet depends on the node that answers.`,
      `Set ${key} to the same everywhere, and restart the nodes that differ.`,
    ),
  ];
}

/** @param shared the secret under which digests can be compared; without one, all that is set counts as alike. */
function valueOf({ settings }: RunningNode, key: string, shared: string | undefined): string {
  const plain = settings.plain[key];
  if (plain !== undefined) return JSON.stringify(plain);
  const digests = settings.secret[key];
  if (digests === undefined) return "the default";
  return shared === undefined ? "something" : `digest ${digests[shared] ?? "unknown"}`;
}

function findShared(running: readonly RunningNode[]): string | undefined {
  const [first, ...others] = running;
  return first?.settings.secretNames.find((name) =>
    others.every(({ settings }) => settings.secretNames.includes(name)),
  );
}

function describeEach(running: readonly RunningNode[], describe: (node: RunningNode) => string): string {
  return running.map((node) => `${describe(node)} on ${nameNode(node)}`).join("; ");
}
