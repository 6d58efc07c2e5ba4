import type { Invocation } from "./command.ts";
import type { FirebaseConfig } from "./firebase-config.ts";

/** How an answer is printed. */
export type Format = "text" | "json";

export interface RestoreOrder {
  readonly file: string;
  /** Whether sessions and tokens of the time before the backup go on. */
  readonly keepSessions: boolean;
}

export interface MoveOrder {
  /** Of the Postgres to move to. May hold a password. */
  readonly url: string;
}

export interface ImportOrder {
  /** Of people, an object a line; `-` is standard input. */
  readonly file: string;
  readonly mode: "import" | "dryRun";
  readonly firebase: FirebaseConfig | undefined;
}

/** Which events of the audit log to show as they come. */
export interface FollowOrder {
  /** Filters, as `audit list` takes them. */
  readonly wanted: object;
  /** The position to go on behind. */
  readonly after: string | undefined;
  readonly format: Format;
}

/** What the command line asks for. */
export type Request =
  | { readonly kind: "command"; readonly invocation: Invocation; readonly format: Format }
  | ({ readonly kind: "follow" } & FollowOrder)
  | { readonly kind: "serve"; readonly applyFile: string | undefined; readonly workers: number }
  | { readonly kind: "check-config"; readonly format: Format }
  | { readonly kind: "restore"; readonly order: RestoreOrder; readonly format: Format }
  | { readonly kind: "import"; readonly order: ImportOrder; readonly format: Format }
  | { readonly kind: "move"; readonly order: MoveOrder; readonly format: Format }
  /** Help was shown, or what was typed cannot be carried out; the terminal has been told. */
  | { readonly kind: "finished"; readonly exitCode: 0 | 1 | 2 };
