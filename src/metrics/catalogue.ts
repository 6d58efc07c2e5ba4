/** Every metric of our own: what kind it is, what its labels are, and what it tells an operator. */
export interface MetricDefinition {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** By name, with what their values say. */
  readonly labels: Readonly<Record<string, string>>;
  /** Every node reports the same, so that what several processes report is not to be added up. */
  readonly isOfDeployment?: true;
  /** Upper bounds of a histogram, in seconds. */
  readonly buckets?: readonly number[];
}

const REQUEST_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const STORE_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const LAG_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];

const DELAY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export const CATALOGUE = {
  latchkey_http_request_duration_seconds: {
    kind: "histogram",
    help: "Requests, by how long they took until the answer was ready. `GET /revocations` is over when its stream begins.",
    labels: {
      route: "the pattern of the path, such as `/interaction/:uid`; `other` where nothing answers",
      method: "`GET`, `HEAD`, `POST`, `OPTIONS` or `other`",
      status: "`2xx` to `5xx`",
      outcome: "`ok`, `refused` (the sender's to mend, also a redirect with an error) or `failed` (ours)",
    },
    buckets: REQUEST_SECONDS,
  },
  latchkey_http_refusals_total: {
    kind: "counter",
    help: "Requests that were refused or failed, by why.",
    labels: { reason: "an OAuth error, a code of our catalogue, or the sentence that a form was answered with" },
  },
  latchkey_tokens_issued_total: {
    kind: "counter",
    help: "Tokens that left the token endpoint.",
    labels: {
      grant_type: "`authorization_code`, `refresh_token` or `client_credentials`",
      format: "`jwt` or `opaque` (access tokens), `refresh_token`, `id_token`",
    },
  },
  latchkey_refreshes_total: {
    kind: "counter",
    help: "Uses of refresh tokens. `reuse` says that two had one token: somebody's was stolen, or an app keeps old ones.",
    labels: {
      outcome: "`rotated`, `kept` (it does not rotate), `replayed` (a retry), `reuse` (its family ended) or `refused`",
    },
  },
  latchkey_sign_ins_total: {
    kind: "counter",
    help: "Passwords and passkeys that were presented, at a sign-in or to prove it once more.",
    labels: { method: "`password` or `passkey`", result: "`succeeded`, `failed` or `throttled`" },
  },
  latchkey_factors_total: {
    kind: "counter",
    help: "What happened to sign-in methods beside the password.",
    labels: {
      factor: "`totp`, `passkey` or `recovery_code`",
      event: "`verified`, `refused`, `paused` (too many wrong codes), `enrolled` or `removed`",
    },
  },
  latchkey_audit_events_total: {
    kind: "counter",
    help: "Events that were written to the audit log. One whose transaction came to nothing is counted all the same.",
    labels: { type: "a type of the audit catalogue, such as `session_started`" },
  },
  latchkey_revocations_total: {
    kind: "counter",
    help: "Records of what was revoked, counted by the node that wrote them.",
    labels: { kind: "`session`, `consent`, `account`, `client`, `token`, `key` or `epoch`" },
  },
  latchkey_feed_lag_seconds: {
    kind: "histogram",
    help: "From writing a revocation to handing it to the services that are connected to this node, whichever node wrote it.",
    labels: {},
    buckets: LAG_SECONDS,
  },
  latchkey_feed_connections: {
    kind: "gauge",
    help: "Services that are connected to the feed of revocations on this node.",
    labels: {},
  },
  latchkey_mails_total: {
    kind: "counter",
    help: "Tries to hand a mail to the mail server, and mails that were given up.",
    labels: {
      result:
        "`sent`, `retried` (it did not work, and is tried again), `refused` (for good, by the mail server) or `expired` (it would have come too late)",
    },
  },
  latchkey_mails_waiting: {
    kind: "gauge",
    isOfDeployment: true,
    help: "Mails that still have to leave; every node reports the same.",
    labels: {},
  },
  latchkey_mails_oldest_seconds: {
    kind: "gauge",
    isOfDeployment: true,
    help: "How long the oldest of them has been waiting; every node reports the same.",
    labels: {},
  },
  latchkey_webhooks_total: {
    kind: "counter",
    help: "Tries to tell a webhook of an event, and events that were given up.",
    labels: {
      result:
        "`sent`, `retried` (it did not work, and is tried again), `refused` (the endpoint is gone) or `expired` (it was not taken in three days)",
    },
  },
  latchkey_webhooks_waiting: {
    kind: "gauge",
    isOfDeployment: true,
    help: "Events that webhooks still have to be told of; every node reports the same.",
    labels: {},
  },
  latchkey_webhooks_oldest_seconds: {
    kind: "gauge",
    isOfDeployment: true,
    help: "How long the oldest of them has been waiting; every node reports the same.",
    labels: {},
  },
  latchkey_audit_events_waiting: {
    kind: "gauge",
    isOfDeployment: true,
    help: "Events of the audit log that have no place in its chain yet, the first thousand of them; every node reports the same.",
    labels: {},
  },
  latchkey_audit_oldest_waiting_seconds: {
    kind: "gauge",
    isOfDeployment: true,
    help: "How long the oldest of them has been waiting; every node reports the same.",
    labels: {},
  },
  latchkey_password_hashing: {
    kind: "gauge",
    help: "Passwords that are hashed, or wait for their turn to be.",
    labels: { state: "`running` or `waiting`" },
  },
  latchkey_password_hashing_refused_total: {
    kind: "counter",
    help: "Sign-ins that were told to come back later, because too many wait to have a password hashed.",
    labels: {},
  },
  latchkey_store_call_duration_seconds: {
    kind: "histogram",
    help: "Calls to Postgres (the embedded one included) and Redis.",
    labels: {
      store: "`postgres` or `redis`",
      operation: "the first word of a statement, or a command of Redis; `other` for what is not listed",
    },
    buckets: STORE_SECONDS,
  },
  latchkey_store_failures_total: {
    kind: "counter",
    help: "Calls that failed because the store was away, hung or full. `connect` is a connection that was not to be had.",
    labels: { store: "`postgres` or `redis`", operation: "as above, or `connect`" },
  },
  latchkey_store_round_trips_total: {
    kind: "counter",
    help: "Times that something was sent to a store and waited for. What leaves for Redis in one write counts once.",
    labels: { store: "`postgres` or `redis`" },
  },
  latchkey_signing_keys: {
    kind: "gauge",
    isOfDeployment: true,
    help: "Signing keys of the deployment; every node reports the same.",
    labels: { algorithm: "such as `ES256`", state: "`next`, `current` or `retired`" },
  },
  latchkey_signing_key_age_seconds: {
    kind: "gauge",
    isOfDeployment: true,
    help: "How long the oldest of these keys has been in its state; every node reports the same.",
    labels: { algorithm: "such as `ES256`", state: "`next`, `current` or `retired`" },
  },
  latchkey_sessions_alive: {
    kind: "gauge",
    isOfDeployment: true,
    help: "About how many sign-ins are alive: sessions, and what outlives one by `offline_access`. Estimated from a thousand keys of the protocol store, at most every 15 seconds; every node reports the same.",
    labels: {},
  },
  latchkey_event_loop_delay_seconds: {
    kind: "histogram",
    help: "Of each second, the longest time that this process kept something waiting.",
    labels: {},
    buckets: DELAY_SECONDS,
  },
  latchkey_unknown_gauges: {
    kind: "gauge",
    isOfDeployment: true,
    help: "Gauges that could not be read at this look, because their store was away; they are left out of the answer.",
    labels: {},
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof CATALOGUE;
