import type { RowCounts } from "../backup/index.ts";
import type { Answer } from "./execute.ts";
import { layOutTable } from "./text-layout.ts";

/** Tables with their rows; empty ones are left out. */
export function describeRows(rows: RowCounts): string {
  const filled = Object.entries(rows).filter(([, count]) => count > 0);
  return layOutTable(
    ["TABLE", "ROWS"],
    filled.map(([table, count]) => [table, String(count)]),
  );
}

export interface Restored {
  readonly dataDirectory: string;
  readonly createdAt: string;
  /** What links, tokens and passkeys of the backup are of. */
  readonly issuer: string;
  readonly rows: RowCounts;
  readonly sessions: "kept" | "ended";
  readonly needsLatchkeySecret: boolean;
}

/** What `restore` says. */
export function answerRestored(restored: Restored, configuredIssuer: string): Answer {
  const { dataDirectory, createdAt, issuer, rows, sessions, needsLatchkeySecret } = restored;
  const endings =
    sessions === "ended"
      ? "Everybody is signed out, and every token from before is refused: what was ended since then had been forgotten."
      : "Sessions and tokens are as they were then. What was ended since then is valid again.";
  const text = [
    `Restored to ${dataDirectory}, as it was at ${createdAt}:\n\n${describeRows(rows)}\n`,
    endings,
    ...(needsLatchkeySecret ? ["It was sealed under LATCHKEY_SECRET as well: set the one of then."] : []),
    ...(issuer === configuredIssuer ? [] : [`It is of ${issuer}: set ISSUER to that, if it is to be the same server.`]),
  ].join("\n");
  return { outcome: "done", data: restored, text };
}

export interface Moved {
  readonly rows: RowCounts;
  readonly issuer: string;
  /** The file that holds the secret of the data directory. */
  readonly secretFile: string;
  /** Whether there is a LATCHKEY_SECRET beside it. */
  readonly needsLatchkeySecret: boolean;
}

/** What `move` says. */
export function answerMoved(moved: Moved): Answer {
  const { rows, issuer, secretFile, needsLatchkeySecret } = moved;
  const settings: readonly (readonly string[])[] = [
    ["DATABASE_URL", "the one that you moved to"],
    ["ISSUER", `${issuer}, as before`],
    needsLatchkeySecret
      ? [
          "LATCHKEY_SECRET",
          `"$LATCHKEY_SECRET,$(cat ${secretFile})": the one of now, then the one of the data directory`,
        ]
      : ["LATCHKEY_SECRET_FILE", secretFile],
  ];
  const text = [
    `Moved:\n\n${describeRows(rows)}\n`,
    `Start the server with these settings:\n\n${layOutTable(["SETTING", "VALUE"], settings)}\n`,
    "The secret opens the signing keys and the authenticator apps: nothing that was moved can be read without it. People",
    "stay signed in; with REDIS_URL set as well they sign in once more.",
    "The data directory is as it was. Do not start a server on it again; delete it once the new one works, and the secret",
    "lies where your other secrets do.",
  ].join("\n");
  const next = Object.fromEntries(settings);
  return { outcome: "done", data: { ...moved, settings: next }, text };
}
