import type { KeySummary } from "../../oidc/index.ts";
import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, unchecked, warning, whenSeen } from "../finding.ts";
import type { Page } from "../web.ts";

/** Every node looks once a second; who is later than this does not come. */
const LATE_MS = 60_000;

/** Whether keys rotate, and no earlier than those who keep the key set have seen the next one. */
export function checkKeySchedule(deployment: Deployment): readonly Finding[] {
  return [
    ...whenSeen("key-schedule", deployment.keys, (keys) => {
      const findings = [...findGaps(keys), ...findOverdue(keys, deployment.nowMs)];
      return findings.length === 0 ? [ok("key-schedule", describeSchedule(deployment, keys))] : findings;
    }),
    ...checkCaching(deployment),
  ];
}

function findGaps(keys: readonly KeySummary[]): readonly Finding[] {
  const byAlgorithm = [...Map.groupBy(keys, ({ algorithm }) => algorithm)];
  const gaps = byAlgorithm.flatMap(([algorithm, own]) =>
    (["current", "next"] as const)
      .filter((state) => own.every((key) => key.state !== state))
      .map((state) => `${algorithm} has no ${state} key`),
  );
  const remedy = "A server that runs makes it within a second: start one, or see in its log why it cannot.";
  if (keys.length === 0) return [failure("key-schedule", "There are no signing keys.", remedy)];
  return gaps.length === 0 ? [] : [failure("key-schedule", `${gaps.join("; ")}.`, remedy)];
}

function findOverdue(keys: readonly KeySummary[], nowMs: number): readonly Finding[] {
  const overdue = keys.filter(({ dueAt }) => dueAt !== undefined && nowMs - dueAt.getTime() > LATE_MS);
  if (overdue.length === 0) return [];
  const which = overdue.map(({ kid, algorithm, state }) => `the ${state} ${algorithm} key ${kid}`).join(", ");
  const remedy = "Any server that runs takes it: start one, or see in its log why it cannot.";
  return [failure("key-schedule", `A step is overdue for ${which}.`, remedy)];
}

function describeSchedule({ config }: Deployment, keys: readonly KeySummary[]): string {
  if (config.keys.rotationSeconds === 0) return "Keys rotate when you say so (KEY_ROTATION_SECONDS is 0).";
  const dueAts = keys.flatMap(({ state, dueAt }) =>
    state === "current" && dueAt !== undefined ? [dueAt.getTime()] : [],
  );
  const next =
    dueAts.length === 0 ? "" : `; the next rotation is on ${new Date(Math.min(...dueAts)).toISOString().slice(0, 10)}`;
  return `Every algorithm has a key that signs and one that is next${next}.`;
}

function checkCaching({ config, jwks }: Deployment): readonly Finding[] {
  const check = "key-cache";
  if (!jwks.isSeen) return [unchecked(check, jwks.because)];
  const { leadSeconds, cacheSeconds } = config.keys;
  const ages = jwks.value.map(keptForSeconds);
  const known = ages.filter((age) => age !== undefined);
  const longest = Math.max(0, ...known);
  if (longest >= leadSeconds) {
    const meaning = `Caches may keep the key set for ${longest} s, and a key signs ${leadSeconds} s after it was published: services would refuse its tokens.`;
    return [failure(check, meaning, "Raise KEY_LEAD_SECONDS, or see what changes Cache-Control on the way.")];
  }
  if (known.length < ages.length) {
    const meaning =
      "The key set comes without a time for which it may be kept: a node has lost sight of the database, or something on the way drops Cache-Control.";
    return [warning(check, meaning, "Look again; if it stays so, see the proxy's configuration and the nodes' logs.")];
  }
  if (longest !== cacheSeconds) {
    const meaning = `Caches may keep the key set for ${longest} s, and not for the ${cacheSeconds} s that are set here.`;
    return [
      warning(
        check,
        meaning,
        "See that all nodes have this JWKS_CACHE_SECONDS, and that nothing on the way changes Cache-Control.",
      ),
    ];
  }
  return [ok(check, `Caches keep the key set for ${longest} s; a key signs ${leadSeconds} s after it was published.`)];
}

/** The longest that any cache may take. `undefined`: it does not say, or forbids it. */
function keptForSeconds({ headers }: Page): number | undefined {
  const found = [...(headers["cache-control"] ?? "").matchAll(/\b(?:s-maxage|max-age)=(\d+)/g)].map(([, age]) =>
    Number(age),
  );
  return found.length === 0 ? undefined : Math.max(...found);
}
