import type { RunningNode } from "../../nodes/index.ts";
import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, warning, whenSeen } from "../finding.ts";

/** How a node is called in findings: where it is, and which start of it. */
export function nameNode({ name, id }: RunningNode): string {
  return `${name} (${id})`;
}

export function checkNodes({ nodes }: Deployment): readonly Finding[] {
  return whenSeen("nodes", nodes, (running) => [
    running.length === 0
      ? failure("nodes", "No server runs on this database.", "Start one, and look into its log if it does not.")
      : ok("nodes", `${count(running.length)}: ${running.map(nameNode).join(", ")}.`),
  ]);
}

export function checkVersions({ nodes }: Deployment): readonly Finding[] {
  return whenSeen("versions", nodes, (running) => {
    if (running.length === 0) return [];
    const versions = Map.groupBy(running, ({ version, libraryVersion }) => `${version}/${libraryVersion}`);
    const [[version, libraryVersion] = []] = [...versions.keys()].map((both) => both.split("/"));
    if (versions.size === 1) {
      return [ok("versions", `All run ${version ?? ""}, with oidc-provider ${libraryVersion ?? ""}.`)];
    }
    const which = running.map((node) => `${nameNode(node)} runs ${node.version} with ${node.libraryVersion}`);
    return [
      warning(
        "versions",
        `Nodes are of several versions: ${which.join("; ")}.`,
        "In the midst of an upgrade that is as it should be; otherwise bring them to the same one.",
      ),
    ];
  });
}

function count(nodes: number): string {
  return nodes === 1 ? "1 server runs" : `${nodes} servers run`;
}
