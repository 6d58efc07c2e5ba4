import type { NodeReport } from "../../nodes/index.ts";
import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, warning, whenSeen } from "../finding.ts";
import { nameNode } from "./nodes.ts";

type Shares = NonNullable<NodeReport["proxy"]>;

/** Below this share it is somebody who tries, not how the deployment is set up. */
const SOME = 0.1;
const MOST = 0.5;

const SIGHTINGS = [
  {
    share: "untrusted",
    meaning:
      "come with forwarded headers from a machine that is not trusted: if it is your proxy, all people share its address, and are throttled as one",
    remedy: "Set TRUSTED_PROXIES to how many proxies stand in front, or to their networks.",
  },
  {
    share: "otherHost",
    meaning: "are for another host than the issuer's, and are refused with 421",
    remedy: "Let the proxy pass on the Host header as the browser sent it, and only for the issuer's host.",
  },
  {
    share: "otherProtocol",
    meaning: "came to the proxy by another protocol than the issuer's, as its X-Forwarded-Proto says",
    remedy: "Let the proxy redirect http to https, or see that it tells the protocol that the browser used.",
  },
] as const satisfies readonly { readonly share: keyof Shares; readonly meaning: string; readonly remedy: string }[];

/** What nodes have seen of the proxies of late. */
export function checkProxies({ nodes }: Deployment): readonly Finding[] {
  return whenSeen("proxies", nodes, (running) => {
    const findings = running.flatMap((node) =>
      SIGHTINGS.flatMap(({ share, meaning, remedy }) => {
        const seen = node.proxy?.[share] ?? 0;
        if (seen < SOME) return [];
        const find = seen < MOST ? warning : failure;
        const part = `${Math.round(seen * 100)} % of the requests to ${nameNode(node)}`;
        return [find(`proxies.${share}`, `${part} ${meaning}.`, remedy)];
      }),
    );
    if (findings.length > 0 || running.length === 0) return findings;
    const hasSeen = running.some(({ proxy }) => proxy !== undefined);
    return [ok("proxies", hasSeen ? "Requests come as they should." : "No request has come yet.")];
  });
}
