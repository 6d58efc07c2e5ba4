import type { LogEvent } from "kysely";
import { isStoreFailure } from "./failures.ts";

/** One call to a store that is over. Nothing of it is what was written or read. */
export interface StoreCall {
  readonly store: "postgres" | "redis";
  /** Of a short list of words, such as `select` or `hgetall`. */
  readonly operation: string;
  readonly tookMs: number;
  /** The store was at fault, as opposed to what was asked of it. */
  readonly isFailed: boolean;
}

/** Told of every call to a store, in the context of the request that made it; does not throw. */
export interface StoreObserver {
  called(call: StoreCall): void;
  /** Something went out to a store that somebody waits for. What leaves in one write counts once. */
  sent(store: StoreCall["store"]): void;
}

/** Words that a statement may begin with. Migrations, which have others, are not watched. */
const STATEMENTS: ReadonlySet<string> = new Set([
  "select",
  "insert",
  "update",
  "delete",
  "with",
  "begin",
  "commit",
  "rollback",
]);

/** For kysely, which tells of every statement, those of transactions included. */
export function observeStatements(observer: StoreObserver): (event: LogEvent) => void {
  return (event) => {
    const isFailed = event.level === "error" && isStoreFailure(event.error);
    const { query, queryDurationMillis: tookMs } = event;
    observer.sent("postgres");
    observer.called({ store: "postgres", operation: operationOf(query.sql), tookMs, isFailed });
  };
}

function operationOf(sql: string): string {
  const [word = ""] = /[a-z]+/i.exec(sql) ?? [];
  const operation = word.toLowerCase();
  return STATEMENTS.has(operation) ? operation : "other";
}
