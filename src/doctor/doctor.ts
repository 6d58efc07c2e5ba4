import type { AuditChain } from "../audit/index.ts";
import type { Config } from "../config/index.ts";
import type { Clock } from "../core/index.ts";
import type { WayOut } from "../mail/index.ts";
import type { RunningNodes } from "../nodes/index.ts";
import { PROTOCOL_ROUTES, type SigningKeyCommands } from "../oidc/index.ts";
import {
  type Database,
  measureRedisClock,
  type Migrations,
  readPostgresFacts,
  readRedisFacts,
  type Redis,
} from "../storage/index.ts";
import type { Webhooks } from "../webhooks/index.ts";
import { type ReadCertificate, readCertificate } from "./certificate.ts";
import { CHECKS } from "./checks/index.ts";
import type { ClockOffsets, Deployment } from "./deployment.ts";
import type { Finding } from "./finding.ts";
import { see } from "./see.ts";
import { walkToSignIn } from "./walk-to-sign-in.ts";
import { type Page, type ReadPage, readPage } from "./web.ts";

const DISCOVERY_PATH = "/.well-known/openid-configuration";
const QUESTIONS_MIN = 2;
const QUESTIONS_MAX = 8;

export interface DoctorDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly database: Pick<Database, "db">;
  readonly redis: Redis | undefined;
  readonly migrations: Pick<Migrations, "plan">;
  readonly nodes: Pick<RunningNodes, "list" | "measureClock">;
  readonly signingKeys: Pick<SigningKeyCommands, "list">;
  readonly webhooks: Pick<Webhooks, "list">;
  readonly auditChain: Pick<AuditChain, "readBacklog">;
  /** Signs in at the mail server, within some seconds; absent where there is none. */
  readonly lookAtMailServer: (() => Promise<WayOut>) | undefined;
  readonly web?: { readonly readPage: ReadPage; readonly readCertificate: ReadCertificate };
}

export interface Doctor {
  /** Looks at everything once. Never fails: what could not be looked at is a finding. */
  examine(): Promise<readonly Finding[]>;
}

export function createDoctor(deps: DoctorDeps): Doctor {
  return {
    async examine() {
      const deployment = await lookAt(deps);
      return CHECKS.flatMap((check) => check(deployment));
    },
  };
}

async function lookAt(deps: DoctorDeps): Promise<Deployment> {
  const { config, clock, database, redis, migrations, signingKeys, lookAtMailServer } = deps;
  const { readPage: read, readCertificate: readIts } = deps.web ?? { readPage, readCertificate };
  const { issuer } = config;
  const nodes = await see(() => deps.nodes.list());
  const questions = Math.min(QUESTIONS_MAX, Math.max(QUESTIONS_MIN, 2 * (nodes.isSeen ? nodes.value.length : 1)));
  const askOften = (path: string) => see(() => ask(read, `${issuer}${path}`, questions));
  const [postgres, planned, redisFacts, clocks, discovery, jwks, signIn, certificate, mailServer] = await Promise.all([
    see(() => readPostgresFacts(database.db)),
    see(() => migrations.plan()),
    redis === undefined ? undefined : see(() => readRedisFacts(redis)),
    see(() => compareClocks(deps)),
    askOften(DISCOVERY_PATH),
    askOften(PROTOCOL_ROUTES.jwks),
    see(() => walkToSignIn(issuer, read)),
    issuer.startsWith("https:") ? see(() => readIts(issuer)) : undefined,
    lookAtMailServer === undefined ? undefined : see(lookAtMailServer),
  ]);
  return {
    config,
    nowMs: clock.nowMs(),
    postgres,
    migrations: planned,
    redis: redisFacts,
    clocks,
    discovery,
    jwks,
    signIn,
    certificate,
    mailServer,
    webhooks: await see(() => deps.webhooks.list()),
    audit: await see(() => deps.auditChain.readBacklog()),
    // Keys first, nodes after them: so that a node cannot hold less than it did when the keys were read.
    keys: await see(() => signingKeys.list()),
    nodes: await see(() => deps.nodes.list()),
  };
}

function ask(read: ReadPage, url: string, times: number): Promise<readonly Page[]> {
  return Promise.all(Array.from({ length: times }, () => read(url, { accept: "application/json" })));
}

async function compareClocks({ clock, nodes, redis }: DoctorDeps): Promise<ClockOffsets> {
  const nowMs = (): number => clock.nowMs();
  const here = await nodes.measureClock(nowMs);
  if (redis === undefined) return { here, redis: undefined };
  const aheadOfRedis = await measureRedisClock(redis, nowMs).catch(() => undefined);
  return { here, redis: aheadOfRedis === undefined ? undefined : here - aheadOfRedis };
}
