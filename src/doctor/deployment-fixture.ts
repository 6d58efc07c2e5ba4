import { loadConfig } from "../config/index.ts";
import type { RunningNode } from "../nodes/index.ts";
import type { KeySummary } from "../oidc/index.ts";
import { CHECKS } from "./checks/index.ts";
import type { Deployment } from "./deployment.ts";
import type { Finding, Seen } from "./finding.ts";
import type { Page } from "./web.ts";

export const ISSUER = "https://id.example.com";
export const NOW_MS = Date.UTC(2026, 0, 31);
const DAY_MS = 24 * 60 * 60 * 1_000;

export function seen<Value>(value: Value): Seen<Value> {
  return { isSeen: true, value };
}

export const AWAY = { isSeen: false, because: "nobody answers" } as const;

export function newNode(id: string, changes: Partial<RunningNode> = {}): RunningNode {
  return {
    id,
    startedAt: new Date(NOW_MS - DAY_MS),
    lastSeenAt: new Date(NOW_MS),
    name: `web-${id}:3000`,
    version: "0.1.0",
    libraryVersion: "9.13.3",
    settings: { plain: { ISSUER }, secret: { REDIS_URL: { old: "alike" } }, secretNames: ["old"] },
    clockOffsetMs: 5,
    kids: ["signs", "comes"],
    proxy: { untrusted: 0, otherHost: 0.02, otherProtocol: 0 },
    ...changes,
  };
}

export function newKey(kid: string, changes: Partial<KeySummary> = {}): KeySummary {
  return {
    kid,
    algorithm: "ES256",
    state: "current",
    createdAt: new Date(NOW_MS - 20 * DAY_MS),
    activatedAt: new Date(NOW_MS - 10 * DAY_MS),
    retiredAt: undefined,
    dueAt: new Date(NOW_MS + 80 * DAY_MS),
    ...changes,
  };
}

export function newPage(path: string, changes: Partial<Page> = {}): Page {
  return { url: `${ISSUER}${path}`, status: 200, headers: {}, setCookies: [], body: "", ...changes };
}

export function jwksPage(kids: readonly string[], cacheControl = "public, max-age=300"): Page {
  const body = JSON.stringify({ keys: kids.map((kid) => ({ kid })) });
  return newPage("/jwks", { headers: { "cache-control": cacheControl }, body });
}

export function discoveryPage(changes: Readonly<Record<string, unknown>> = {}): Page {
  const body = JSON.stringify({ issuer: ISSUER, token_endpoint: `${ISSUER}/token`, ...changes });
  return newPage("/.well-known/openid-configuration", { body });
}

export const COOKIES = [
  "__Secure-lk_interaction=i; path=/interaction/uid; secure; httponly; samesite=lax",
  "__Host-lk_session=s; path=/; secure; httponly; samesite=lax",
] as const;

/** Everything is well, but for what a test changes. */
export function newDeployment(changes: Partial<Deployment> = {}): Deployment {
  const config = loadConfig({
    ISSUER,
    DATABASE_URL: "postgres://db.example.com/latchkey",
    LATCHKEY_SECRET: "a-secret-of-32-bytes-or-more-0123456789-abcdef",
    MAIL_URL: "smtps://latchkey:secret@mail.example.com",
    MAIL_FROM: "id@example.com",
  });
  const form = newPage("/interaction/uid", { body: '<form method="post">' });
  return {
    config,
    nowMs: NOW_MS,
    nodes: seen([newNode("1"), newNode("2")]),
    postgres: seen({ majorVersion: 15 }),
    migrations: seen({ pending: [], unknown: [] }),
    redis: seen({
      version: "7.0.15",
      evictionPolicy: "noeviction",
      isAppendOnly: true,
      isWriteFailing: false,
      replicas: 0,
      needsReplica: false,
    }),
    clocks: seen({ here: 0, redis: -3 }),
    keys: seen([newKey("signs"), newKey("comes", { state: "next" })]),
    discovery: seen([discoveryPage(), discoveryPage()]),
    jwks: seen([jwksPage(["signs", "comes"]), jwksPage(["comes", "signs"])]),
    signIn: seen([newPage("/account", { status: 303, setCookies: COOKIES }), form]),
    mailServer: seen({ type: "open" }),
    webhooks: seen([]),
    audit: seen({ waiting: 1, oldestSeconds: 0.5, signedAt: new Date(NOW_MS), monthsAhead: 2 }),
    certificate: seen({ refusal: undefined, validToMs: NOW_MS + 60 * DAY_MS }),
    ...changes,
  };
}

/** What is not as it should be: `status check: meaning`. */
export function trouble(changes: Partial<Deployment>): readonly string[] {
  return findingsOf(changes)
    .filter(({ status }) => status !== "ok")
    .map(({ status, check, meaning }) => `${status} ${check}: ${meaning}`);
}

export function findingsOf(changes: Partial<Deployment>): readonly Finding[] {
  const deployment = newDeployment(changes);
  return CHECKS.flatMap((check) => check(deployment));
}
