import type { Deployment } from "../deployment.ts";
import type { Finding } from "../finding.ts";
import { checkAudit } from "./audit.ts";
import { checkClocks } from "./clocks.ts";
import { checkConfiguration } from "./configuration.ts";
import { checkCookies } from "./cookies.ts";
import { checkDiscovery, checkIssuer } from "./issuer.ts";
import { checkKeySchedule } from "./key-schedule.ts";
import { checkKeySet } from "./key-set.ts";
import { checkMail } from "./mail.ts";
import { checkNodes, checkVersions } from "./nodes.ts";
import { checkProxies } from "./proxies.ts";
import { checkMigrations, checkPostgres, checkRedis } from "./stores.ts";
import { checkTls } from "./tls.ts";
import { checkWebhooks } from "./webhooks.ts";

/** What a doctor looks at, in the order in which it is told. Each judges what was seen, and asks nobody. */
export const CHECKS: readonly ((deployment: Deployment) => readonly Finding[])[] = [
  checkPostgres,
  checkMigrations,
  checkRedis,
  checkNodes,
  checkVersions,
  checkConfiguration,
  checkClocks,
  checkIssuer,
  checkTls,
  checkDiscovery,
  checkKeySet,
  checkKeySchedule,
  checkProxies,
  checkCookies,
  checkMail,
  checkAudit,
  checkWebhooks,
];
