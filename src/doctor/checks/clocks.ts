import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, whenSeen } from "../finding.ts";
import { nameNode } from "./nodes.ts";

const APART_MS_MAX = 2_000;

/** Clocks decide when codes, tokens and keys are over: nodes, Postgres, Redis and this machine may not be far apart. */
export function checkClocks({ nodes, clocks }: Deployment): readonly Finding[] {
  return whenSeen("clocks", clocks, ({ here, redis }) =>
    whenSeen("clocks", nodes, (running) => {
      const offsets = [
        ["Postgres", 0],
        ["this machine", here],
        ...(redis === undefined ? [] : [["Redis", redis] as const]),
        ...running.map((node) => [nameNode(node), node.clockOffsetMs] as const),
      ] as const;
      const values = offsets.map(([, offset]) => offset);
      const apart = Math.max(...values) - Math.min(...values);
      if (apart <= APART_MS_MAX) return [ok("clocks", `All clocks are within ${Math.ceil(apart / 100) / 10} s.`)];
      const wrong = offsets.filter(([, offset]) => Math.abs(offset) > APART_MS_MAX / 2).map(describeOffset);
      return [
        failure(
          "clocks",
          `Clocks are ${(apart / 1_000).toFixed(1)} s apart. By that of Postgres, ${wrong.join(", ")}. Codes and tokens are over too soon or too late.`,
          "Have all machines set their clocks by NTP.",
        ),
      ];
    }),
  );
}

function describeOffset([who, offsetMs]: readonly [string, number]): string {
  return `${who} is ${(Math.abs(offsetMs) / 1_000).toFixed(1)} s ${offsetMs > 0 ? "ahead" : "behind"}`;
}
