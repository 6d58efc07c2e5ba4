import { POSTGRES_VERSION_MIN, type RedisFacts } from "../../storage/index.ts";
import type { Deployment } from "../deployment.ts";
import { failure, type Finding, ok, unchecked, warning } from "../finding.ts";

const REDIS_VERSION_MIN = 7;

export function checkPostgres({ postgres, config }: Deployment): readonly Finding[] {
  const name = config.mode === "embedded" ? "The embedded database" : "Postgres";
  if (!postgres.isSeen) {
    const remedy = "See that it runs and that DATABASE_URL leads to it from here. Nothing works without it.";
    return [failure("postgres", `${name} does not answer (${postgres.because}).`, remedy)];
  }
  const { majorVersion } = postgres.value;
  return majorVersion >= POSTGRES_VERSION_MIN
    ? [ok("postgres", `${name} answers, version ${majorVersion}.`)]
    : [failure("postgres", `${name} is of version ${majorVersion}.`, `Raise it to ${POSTGRES_VERSION_MIN} or later.`)];
}

export function checkMigrations({ migrations }: Deployment): readonly Finding[] {
  if (!migrations.isSeen) return [unchecked("migrations", migrations.because)];
  const { pending, unknown } = migrations.value;
  if (unknown.length > 0) {
    const meaning = `The database was used with a newer version, which added ${unknown.map(({ name }) => name).join(", ")}.`;
    const remedy = "Run the doctor of that version, and bring all nodes to it.";
    return unknown.every(({ sideBySide }) => sideBySide)
      ? [warning("migrations", meaning, remedy)]
      : [failure("migrations", `${meaning} Servers of this version may not run on it, and do not start.`, remedy)];
  }
  if (pending.length === 0) return [ok("migrations", "The database is of this version.")];
  return [
    failure(
      "migrations",
      `The database has yet to get ${pending.map(({ name }) => name).join(", ")}. Servers of this version do not start on it.`,
      'Run "latchkey plan", then "latchkey migrate".',
    ),
  ];
}

export function checkRedis({ redis }: Deployment): readonly Finding[] {
  if (redis === undefined) return [ok("redis", "There is none: sessions and tokens lie in the database.")];
  if (!redis.isSeen) {
    const remedy = "See that it runs and that REDIS_URL leads to it from here. Nobody signs in without it.";
    return [failure("redis", `Redis does not answer (${redis.because}).`, remedy)];
  }
  const facts = redis.value;
  return [checkVersion(facts), checkEviction(facts), checkPersistence(facts), ...checkFailover(facts)];
}

function checkVersion({ version }: RedisFacts): Finding {
  return Number(version.split(".")[0]) >= REDIS_VERSION_MIN
    ? ok("redis", `Redis answers, version ${version}.`)
    : failure("redis", `Redis is of version ${version}.`, `Raise it to ${REDIS_VERSION_MIN} or later.`);
}

function checkEviction({ evictionPolicy }: RedisFacts): Finding {
  return evictionPolicy === "noeviction"
    ? ok("redis.eviction", "When it is full it refuses writes, and forgets nothing.")
    : failure(
        "redis.eviction",
        `With maxmemory-policy ${evictionPolicy}, sessions and sign-outs are silently forgotten when its memory is full.`,
        "Set maxmemory-policy noeviction in redis.conf, and by CONFIG SET. Servers do not start without it.",
      );
}

function checkPersistence({ isAppendOnly, isWriteFailing }: RedisFacts): Finding {
  const check = "redis.persistence";
  if (isWriteFailing) {
    return failure(check, "Redis cannot write its file any more.", "See its log; most often the disk is full.");
  }
  return isAppendOnly
    ? ok(check, "It is append-only: a crash loses a second at the most.")
    : warning(
        check,
        "It is not append-only: a crash brings back sessions that ended in the last minutes, and loses new ones.",
        "Set appendonly yes.",
      );
}

/** Without replicas there is nothing to fail over to. */
function checkFailover({ replicas, needsReplica }: RedisFacts): readonly Finding[] {
  const check = "redis.failover";
  if (needsReplica) return [ok(check, "It takes no write that no replica would get.")];
  if (!(replicas > 0)) return [];
  return [
    warning(
      check,
      "It takes writes while it has lost its replicas: a failover then brings ended sessions back.",
      "Set min-replicas-to-write 1.",
    ),
  ];
}
