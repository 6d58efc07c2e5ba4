/**
 * The two stores: Postgres (real, or embedded for trying out) and Redis.
 *
 * Opens and closes them, applies migrations, guards the embedded mode's data directory, and says which errors mean that
 * a store is away. It knows no tables but those that say which migrations were applied: each folder brings its own by `db.withTables<…>()` and touches no other's.
 */
export { DELETE_BATCH, deleteInBatches } from "./batches.ts";
export { type ClockWatch, readPostgresMs, watchClock } from "./clock-watch.ts";
export {
  type DataDirectory,
  DataDirectoryLockedError,
  lockDataDirectory,
  lockEmptyDirectory,
  lockExistingData,
  secretFileIn,
  socketPathIn,
} from "./data-directory.ts";
export { type Database, type Db, openEmbedded, openPostgres } from "./database.ts";
export { asStoreFailure, guardStore, isUniqueViolation } from "./failures.ts";
export type { Listener } from "./listening.ts";
export { migrationEffectsSchema } from "./migration-effects.ts";
export type { MigrationPlan, PlannedMigration } from "./migration-plan.ts";
export { MIGRATION_TABLES } from "./newer-migrations.ts";
export { createMigrations, type Migrations } from "./migrations.ts";
export { connectRedis, openRedis, readHash, refuseEviction } from "./redis.ts";
export { guardRedis } from "./redis-guard.ts";
export {
  measureRedisClock,
  POSTGRES_VERSION_MIN,
  type PostgresFacts,
  readPostgresFacts,
  readRedisFacts,
  type RedisFacts,
} from "./store-facts.ts";
export type { StoreObserver } from "./store-observer.ts";
export type { Redis } from "ioredis";
