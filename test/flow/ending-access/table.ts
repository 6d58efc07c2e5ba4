/**
 * What each way of ending access ends, and what it must leave alone.
 *
 * Alice is signed in on this device. She came to the shop, which has tokens for an API (JWT and opaque) and for
 * userinfo, a code that it has not redeemed yet, and a page that asks her something; she also uses another app, and an
 * archive that she allowed to go on without her (`offline_access`). She is signed in on another device, and Bob on his,
 * both at the shop. The shop has a token in its own name.
 *
 * A cell says what is refused afterwards: `ends`, everything in the column; `lives`, nothing; `grant`, all that the
 * shop holds of the person; otherwise the kinds of {@link Kind}. `again`: she signs in anew within the same second.
 * `later`: records that can only be bounded by a time hold for five seconds more, and then she can. `anew`: so it is, and
 * services are cut off for these seconds as well, because the tokens that they hear with have ended with all others.
 */
const TABLE = `
  way                                      | cookie | shop  | other app | archive | elsewhere | bob   | service | again
  a sign-out at the account page           | ends   | ends  | ends      | jwt     | lives     | lives | lives   | lives
  a sign-out that an app asked for         | ends   | ends  | ends      | jwt     | lives     | lives | lives   | lives
  somebody else's sign-in in her browser   | ends   | ends  | ends      | jwt     | lives     | lives | lives   | lives
  the limit of sessions                    | ends   | ends  | ends      | jwt     | lives     | lives | lives   | lives
  herself, from elsewhere                  | ends   | ends  | ends      | ends    | lives     | lives | lives   | lives
  session end                              | ends   | ends  | ends      | ends    | lives     | lives | lives   | lives
  a password that she changed elsewhere    | ends   | ends  | ends      | ends    | lives     | lives | lives   | lives
  a sign-out everywhere                    | ends   | ends  | ends      | ends    | ends      | lives | lives   | lives
  a password that was reset                | ends   | ends  | ends      | ends    | ends      | lives | lives   | later
  revoke --account                         | ends   | ends  | ends      | ends    | ends      | lives | lives   | later
  a disabled account                       | ends   | ends  | ends      | ends    | ends      | lives | lives   | ends
  a deleted account                        | ends   | ends  | ends      | ends    | ends      | lives | lives   | ends
  a refresh token that was used twice      | lives  | grant | lives     | lives   | lives     | lives | lives   | lives
  a code that was used twice               | lives  | grant | lives     | lives   | lives     | lives | lives   | lives
  a refresh token that was given back      | lives  | grant | lives     | lives   | lives     | lives | lives   | lives
  a JWT that was given back                | lives  | jwt   | lives     | lives   | lives     | lives | lives   | lives
  a consent that she withdrew              | lives  | grant | lives     | lives   | grant     | lives | lives   | lives
  a client that was removed                | lives  | ends  | lives     | lives   | grant     | grant | ends    | ends
  a secret that was rotated and revoked    | lives  | ends  | lives     | lives   | grant     | grant | ends    | later
  revoke --client                          | lives  | ends  | lives     | lives   | grant     | grant | ends    | later
  a signing key that was withdrawn         | lives  | jwt   | jwt       | jwt     | jwt       | jwt   | jwt     | lives
  revoke --all                             | ends   | ends  | ends      | ends    | ends      | ends  | ends    | anew
`;

/** `page`: the one that waits for her. */
export const KINDS = ["cookie", "refresh", "jwt", "opaque", "userinfo", "code", "page"] as const;
export type Kind = (typeof KINDS)[number];

export const WHOSE = ["cookie", "shop", "other app", "archive", "elsewhere", "bob", "service"] as const;
export type Whose = (typeof WHOSE)[number];

const AGAIN = ["lives", "later", "anew", "ends"] as const;
export type Again = (typeof AGAIN)[number];

export interface Row {
  readonly way: string;
  readonly again: Again;
  /** Which of what the column holds are refused afterwards. */
  readonly refused: (whose: Whose, held: readonly Kind[]) => readonly Kind[];
}

const GRANT: ReadonlySet<Kind> = new Set(["refresh", "jwt", "opaque", "userinfo", "code"]);

export function readTable(): readonly Row[] {
  const [heads = [], ...lines] = TABLE.trim()
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return lines.map((cells) => {
    const cellOf = (head: string): string => cells[heads.indexOf(head)] ?? missing(head);
    return {
      way: cellOf("way"),
      again: parseAgain(cellOf("again")),
      refused: (whose, held) => held.filter((kind) => endsBy(cellOf(whose), kind)),
    };
  });
}

function endsBy(cell: string, kind: Kind): boolean {
  if (cell === "ends" || cell === "lives") return cell === "ends";
  return cell === "grant" ? GRANT.has(kind) : cell === kind;
}

function parseAgain(cell: string): Again {
  return AGAIN.find((again) => again === cell) ?? missing("again");
}

function missing(head: string): never {
  throw new Error(`the table has no such cell: ${head}`);
}
