import { z } from "zod";
import type { KeySummary } from "../../oidc/index.ts";
import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, unchecked, warning, whenSeen } from "../finding.ts";
import { parseObject } from "../parse-object.ts";
import { nameNode } from "./nodes.ts";

/** Until then a key that was made or withdrawn may be news to a node that is well. */
const NEWS_MS = 10_000;

/** Whether nodes and the issuer publish the keys that lie in the database. */
export function checkKeySet(deployment: Deployment): readonly Finding[] {
  return whenSeen("key-set", deployment.keys, (keys) => {
    const findings = [...compareNodes(deployment, keys), ...comparePublished(deployment, keys)];
    return findings.length === 0 ? [ok("key-set", `All ${keys.length} keys are held and published.`)] : findings;
  });
}

function compareNodes({ nodes, nowMs }: Deployment, keys: readonly KeySummary[]): readonly Finding[] {
  if (!nodes.isSeen) return [unchecked("key-set.nodes", nodes.because)];
  const settled = keys.filter(({ createdAt }) => nowMs - createdAt.getTime() > NEWS_MS);
  const differences = nodes.value.flatMap((node) => {
    const missing = settled.filter(({ kid }) => !node.kids.includes(kid)).map(({ kid }) => `does not hold ${kid}`);
    const extra = node.kids.filter((kid) => !keys.some((key) => key.kid === kid)).map((kid) => `holds ${kid} still`);
    return [...missing, ...extra].map((what) => `${nameNode(node)} ${what}`);
  });
  if (differences.length === 0) return [];
  const meaning = `Nodes and the database have different keys: ${differences.join("; ")}.`;
  const remedy = "If keys were changed just now, look again. Otherwise see that node's log, and restart it.";
  return [failure("key-set.nodes", meaning, remedy)];
}

function comparePublished(deployment: Deployment, keys: readonly KeySummary[]): readonly Finding[] {
  const { jwks, nowMs, config } = deployment;
  if (!jwks.isSeen) return [unchecked("key-set.published", jwks.because)];
  const published = jwks.value.map(({ status, body }) => (status === 200 ? kidsOf(body) : []));
  if (published.some((kids) => kids.length === 0)) {
    const meaning = "The issuer answers without keys: services refuse all tokens.";
    return [failure("key-set.published", meaning, "See what answers at the path /jwks of the issuer.")];
  }
  // What was made since may be missing in what a cache has kept, as we let it.
  const knownForMs = config.keys.cacheSeconds * 1_000 + NEWS_MS;
  const due = keys.filter(({ state, createdAt }) => state === "current" || nowMs - createdAt.getTime() > knownForMs);
  const missing = due.filter(({ kid }) => published.some((kids) => !kids.includes(kid)));
  const strange = [...new Set(published.flat())].filter((kid) => !keys.some((key) => key.kid === kid));
  return [
    ...missing.map(({ kid, state }) =>
      failure(
        "key-set.published",
        `The ${state} key ${kid} is missing in what the issuer publishes: services refuse its tokens.`,
        "See whether a cache in front keeps /jwks for longer than JWKS_CACHE_SECONDS, and empty it.",
      ),
    ),
    ...strange.map((kid) =>
      warning(
        "key-set.published",
        `The issuer publishes the key ${kid}, which is none of this database.`,
        "If it was withdrawn a moment ago, empty the caches in front. If not, another deployment answers as well.",
      ),
    ),
  ];
}

const keySet = z.array(z.object({ kid: z.string() }));

function kidsOf(body: string): readonly string[] {
  const parsed = keySet.safeParse(parseObject(body)["keys"]);
  return parsed.success ? parsed.data.map(({ kid }) => kid) : [];
}
