import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, whenSeen } from "../finding.ts";
import { parseObject } from "../parse-object.ts";
import type { Page } from "../web.ts";

/** Whether somebody answers at the issuer's address, and it is we. */
export function checkIssuer({ config, discovery }: Deployment): readonly Finding[] {
  const { issuer } = config;
  if (!discovery.isSeen) {
    return [
      failure(
        "issuer",
        `${issuer} does not answer this machine (${discovery.because}).`,
        "See that the name leads to the proxy, that the proxy runs and reaches a server, and that ISSUER is right.",
      ),
    ];
  }
  const strange = discovery.value.flatMap((page) => findStrange(page, issuer));
  return strange.length === 0 ? [ok("issuer", `${issuer} answers as itself.`)] : strange.slice(0, 1);
}

/** The endpoints of one answer are the issuer's, and all answers are alike. */
export function checkDiscovery({ config, discovery }: Deployment): readonly Finding[] {
  return whenSeen("discovery", discovery, (pages) => {
    const answers = pages.filter(({ status }) => status === 200).map(({ body }) => parseObject(body));
    const isOurs = (value: unknown): boolean => typeof value !== "string" || value.startsWith(`${config.issuer}/`);
    const elsewhere = answers.flatMap((answer) =>
      Object.entries(answer).filter(([name, value]) => /_(endpoint|uri)$/.test(name) && !isOurs(value)),
    );
    const remedy =
      "See what stands between: a proxy must pass the answer on as it is, and lead to servers of one deployment.";
    const names = [...new Set(elsewhere.map(([name]) => name))];
    if (answers.length === 0) return [failure("discovery", "No discovery document was answered.", remedy)];
    if (names.length > 0)
      return [failure("discovery", `It names places outside the issuer: ${names.join(", ")}.`, remedy)];
    const different = findDifferent(answers);
    return different.length === 0
      ? [ok("discovery", `${answers.length} answers, over connections of their own, are alike.`)]
      : [
          failure(
            "discovery",
            `Answers differ in ${different.join(", ")}.`,
            `${remedy} Mind the versions of the nodes.`,
          ),
        ];
  });
}

function findStrange({ url, status, body }: Page, issuer: string): readonly Finding[] {
  const fail = (meaning: string, remedy: string): readonly Finding[] => [failure("issuer", meaning, remedy)];
  if (status === 421) return fail(`${url} is answered with 421: the server is asked for another host.`, KEEP_HOST);
  if (status !== 200) {
    return fail(`${url} is answered with ${status}.`, "See the logs of the proxy and of the servers for why.");
  }
  const said = parseObject(body)["issuer"];
  if (said === issuer) return [];
  const who = typeof said === "string" ? `calls itself ${said.slice(0, 200)}` : "is no authorization server";
  return fail(
    `What answers at ${issuer} ${who}. Clients refuse it.`,
    "Set ISSUER to the origin at which people and apps reach the servers, on all nodes.",
  );
}

const KEEP_HOST = "Let the proxy pass on the Host header as the browser sent it.";

function findDifferent(answers: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  const names = new Set(answers.flatMap((answer) => Object.keys(answer)));
  return [...names].filter((name) => new Set(answers.map((answer) => JSON.stringify(answer[name]))).size > 1);
}
