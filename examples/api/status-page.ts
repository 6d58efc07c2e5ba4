/**
 * The API's page about itself, at `/`: whether it hears of revocations, and what became of the last calls. It works
 * without script, and shows no token and nobody's name.
 */
import { createHash } from "node:crypto";
import type { Middleware } from "koa";
import type { Verifier } from "../../src/verifier/index.ts";

interface Call {
  readonly at: Date;
  /** Tokens are told apart by a number, in the order in which they came. */
  readonly token: number;
  readonly request: string;
  readonly status: number;
  readonly answer: string;
}

export interface StatusPage {
  /** Remembers what became of each call with a token. */
  readonly record: Middleware;
  /** The page. */
  readonly show: Middleware;
}

const CALLS_MAX = 20;
const TOKENS_MAX = 1_000;
const WATCH_EVERY_SECONDS = 1;

const STYLE = `
  :root { color-scheme: light dark; --accent: light-dark(#0f766e, #2dd4bf); --line: light-dark(#dae3e2, #2b3838);
    --bad: light-dark(#a6192e, #ff9aa5) }
  body { margin: 0; background: light-dark(#fff, #151d1d); color: light-dark(#14201f, #e8f0ef);
    font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word }
  main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem }
  a { color: var(--accent) }
  dt { font-weight: 600 }
  dd { margin: 0 0 0.75rem }
  table { width: 100%; border-collapse: collapse; font-size: 0.9375rem; font-variant-numeric: tabular-nums }
  caption { padding: 1rem 0 0.5rem; font-weight: 600; text-align: left }
  th, td { padding: 0.375rem 0.5rem 0.375rem 0; border-bottom: 1px solid var(--line); text-align: left;
    vertical-align: top }
  td.refused { color: var(--bad); font-weight: 600 }
`;
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function createStatusPage(verifier: Pick<Verifier, "on" | "status">): StatusPage {
  const calls: Call[] = [];
  const numbers = new Map<string, number>();
  let lastEvent = "none yet";
  const note = (text: string): void => {
    lastEvent = `${text}, at ${timeOf(new Date())}`;
  };
  verifier.on("live", () => note("the feed is up to date"));
  verifier.on("stale", () => note("nothing is heard of Latchkey"));
  verifier.on("revocation", ({ id, kind }) => note(`revocation ${id}, of kind ${kind}`));

  function numberOf(authorization: string): number {
    const digest = createHash("sha256").update(authorization).digest("base64");
    const number = numbers.get(digest) ?? numbers.size + 1;
    if (numbers.size < TOKENS_MAX) numbers.set(digest, number);
    return number;
  }

  return {
    async record(ctx, next) {
      await next();
      const authorization = ctx.get("authorization");
      if (authorization === "") return;
      const { status, method, path } = ctx;
      const answer = status < 400 ? "accepted" : sentenceOf(ctx.body);
      calls.unshift({ at: new Date(), token: numberOf(authorization), request: `${method} ${path}`, status, answer });
      calls.splice(CALLS_MAX);
    },
    show(ctx) {
      const isWatching = ctx.query["watch"] !== undefined;
      ctx.set({ "content-security-policy": POLICY, "cache-control": "no-store", "x-content-type-options": "nosniff" });
      // A page that reloads by itself is for who asked for it: it takes the place away from whoever reads slowly.
      if (isWatching) ctx.set("refresh", String(WATCH_EVERY_SECONDS));
      ctx.type = "html";
      ctx.body = render({ calls, lastEvent, isWatching, status: verifier.status() });
    },
  };
}

interface Shown {
  readonly calls: readonly Call[];
  readonly lastEvent: string;
  readonly isWatching: boolean;
  readonly status: ReturnType<Verifier["status"]>;
}

const FEED_STATES = {
  live: "live: a revocation takes effect here within milliseconds",
  stale: "stale: Latchkey is not heard, so it is asked about each token",
  introspection: "none: Latchkey is asked about each token",
  none: "none: a token works until it expires",
  closed: "closed",
} as const;

function render({ calls, lastEvent, isWatching, status }: Shown): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Demo API</title><style>${STYLE}</style></head>
<body><main>
<h1>Demo API</h1>
<p>It checks each access token by itself, and is told when one ends before its time.</p>
<dl>
<dt>Revocation feed</dt><dd id="feed">${escape(FEED_STATES[status.revocations])}</dd>
<dt>Last event</dt><dd id="last-event">${escape(lastEvent)}</dd>
<dt>Revocations known</dt><dd>${status.revoked}</dd>
<dt>Tokens remembered as verified</dt><dd>${status.rememberedTokens}</dd>
</dl>
<p>${isWatching ? '<a href="/">Stop reloading</a>' : '<a href="/?watch">Reload every second</a>'}</p>
<table>
<caption>The last calls, newest first</caption>
<thead><tr><th scope="col">Time</th><th scope="col">Token</th><th scope="col">Call</th><th scope="col">Answer</th></tr></thead>
<tbody>
${calls.map(renderCall).join("\n")}
</tbody>
</table>
${calls.length === 0 ? "<p>None yet. Sign in at the demo app.</p>" : ""}
</main></body>
</html>
`;
}

function renderCall({ at, token, request, status, answer }: Call): string {
  const className = status < 400 ? "accepted" : "refused";
  const cells = [timeOf(at), String(token), request].map((text) => `<td>${escape(text)}</td>`).join("");
  return `<tr>${cells}<td class="${className}">${status} ${escape(answer)}</td></tr>`;
}

/** What a refusal says for people; the adapter answers with JSON. */
function sentenceOf(body: unknown): string {
  const { error_description: sentence } = typeof body === "string" ? parse(body) : {};
  return typeof sentence === "string" ? sentence : "refused";
}

function parse(text: string): Partial<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text)) as Partial<Record<string, unknown>>;
  } catch {
    return {};
  }
}

function timeOf(date: Date): string {
  return date.toISOString().slice(11, 23);
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
