import type { AuditBacklog } from "../audit/index.ts";
import type { Config } from "../config/index.ts";
import type { WayOut } from "../mail/index.ts";
import type { RunningNode } from "../nodes/index.ts";
import type { KeySummary } from "../oidc/index.ts";
import type { MigrationPlan, PostgresFacts, RedisFacts } from "../storage/index.ts";
import type { WebhookSummary } from "../webhooks/index.ts";
import type { Certificate } from "./certificate.ts";
import type { Seen } from "./finding.ts";
import type { Page } from "./web.ts";

/** How far clocks are ahead of the database's, in milliseconds. */
export interface ClockOffsets {
  /** Of the machine that looks. */
  readonly here: number;
  /** Absent where there is no Redis. */
  readonly redis: number | undefined;
}

/** A deployment as it was found: everything that checks judge, and nothing that they would have to wait for. */
export interface Deployment {
  readonly config: Pick<Config, "issuer" | "keys" | "mail" | "mode">;
  readonly nowMs: number;
  readonly nodes: Seen<readonly RunningNode[]>;
  readonly postgres: Seen<Pick<PostgresFacts, "majorVersion">>;
  readonly migrations: Seen<Pick<MigrationPlan, "pending" | "unknown">>;
  /** Absent where protocol state lies in Postgres. */
  readonly redis: Seen<RedisFacts> | undefined;
  readonly clocks: Seen<ClockOffsets>;
  readonly keys: Seen<readonly KeySummary[]>;
  /** What the issuer answered, asked several times over connections of their own: so that several nodes are met. */
  readonly discovery: Seen<readonly Page[]>;
  readonly jwks: Seen<readonly Page[]>;
  /** The pages of a sign-in, from the account page to the form; empty where the way there ended at once. */
  readonly signIn: Seen<readonly Page[]>;
  /** What the mail server said to who signed in there; absent where there is none. */
  readonly mailServer: Seen<WayOut> | undefined;
  readonly webhooks: Seen<readonly WebhookSummary[]>;
  readonly audit: Seen<AuditBacklog>;
  /** Absent where the issuer is not https. */
  readonly certificate: Seen<Certificate> | undefined;
}
