/**
 * Every path that ends in tokens, and what these say of it under each policy.
 *
 * A cell lists `amr` without its last word, `mfa`, which follows from the others, as does `acr`: `pwd otp` is
 * `["pwd", "otp", "mfa"]` and `urn:latchkey:acr:mfa`. `says pwd`: the app asked for a class by name, and is told that
 * one. A cell of one error is what the app gets instead.
 *
 * `whose`: `none` has no second factor, `app` has an authenticator app, `key` a passkey, both with recovery codes, and
 * `new` no account yet. Whatever is asked on the way is answered as the path says, with the app's codes otherwise.
 */
const TABLE = `
  path                                                | whose | off           | optional           | required
  password, and an added app                          | none  | pwd           | pwd                | pwd otp
  password, and an added passkey                      | none  | pwd           | pwd                | pwd swk
  password, and a code                                | app   | pwd           | pwd otp            | pwd otp
  password, and a recovery code                       | app   | pwd           | pwd otp            | pwd otp
  password, and a passkey                             | key   | pwd           | pwd swk            | pwd swk
  password, and a recovery code for a passkey         | key   | pwd           | pwd otp            | pwd otp
  passkey                                             | key   | swk           | swk                | swk
  created account, and an added app                   | new   | pwd           | pwd                | pwd otp
  created account, and an added passkey               | new   | pwd           | pwd                | pwd swk
  browser that is trusted                             | app   | pwd           | pwd                | pwd otp
  consent in between                                  | app   | pwd           | pwd otp            | pwd otp
  pushed request                                      | app   | pwd           | pwd otp            | pwd otp
  acr_values=pwd                                      | app   | pwd           | pwd otp, says pwd  | pwd otp, says pwd
  acr_values=mfa                                      | app   | pwd otp       | pwd otp            | pwd otp
  acr_values=mfa                                      | none  | unmet         | pwd otp            | pwd otp
  acr_values=mfa                                      | key   | pwd swk, says mfa | pwd swk, says mfa | pwd swk, says mfa
  acr_values=mfa, pushed                              | app   | pwd otp       | pwd otp            | pwd otp
  acr_values=phr                                      | key   | pwd swk       | pwd swk            | pwd swk
  acr_values=phr                                      | app   | unmet         | pwd otp swk        | pwd otp swk
  the essential claim acr=phr                         | key   | pwd swk       | pwd swk            | pwd swk
  page on a session by password                       | none  | pwd           | pwd                | pwd otp
  page on a session by password                       | app   | pwd           | pwd otp            | pwd otp
  page on a session with a code                       | app   | pwd otp       | pwd otp            | pwd otp
  prompt=login on a session with a code               | app   | pwd           | pwd otp            | pwd otp
  max_age on a session with a code                    | app   | pwd           | pwd otp            | pwd otp
  prompt=none on a session by password                | none  | pwd           | pwd                | login_required
  prompt=none on a session by password                | app   | pwd           | login_required     | login_required
  prompt=none on a session by password, trusted       | app   | pwd           | pwd                | login_required
  prompt=none on a session with a code                | app   | pwd otp       | pwd otp            | pwd otp
  prompt=none on a session by passkey                 | key   | swk           | swk                | swk
  prompt=none, acr_values=mfa on one by password      | app   | unmet         | unmet              | unmet
  refresh                                             | app   | pwd           | pwd otp            | pwd otp
  refresh token from when the policy was off          | app   | pwd           | pwd                | invalid_grant
  code from when the policy was off                   | app   | pwd           | pwd                | invalid_grant
  page from when the policy was off                   | app   | pwd           | pwd otp            | pwd otp
`;

export const POLICIES = ["off", "optional", "required"] as const;

export const WHOSE = ["none", "app", "key", "new"] as const;
export type Whose = (typeof WHOSE)[number];

export interface Row {
  readonly path: string;
  readonly whose: Whose;
  readonly under: (policy: (typeof POLICIES)[number]) => Expectation;
}

export type Expectation = { readonly error: string } | { readonly acr: string; readonly amr: readonly string[] };

export function readTable(): readonly Row[] {
  const [heads = [], ...lines] = TABLE.trim()
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return lines.map((cells) => {
    const cellOf = (head: string): string => cells[heads.indexOf(head)] ?? missing(head);
    const whose = WHOSE.find((one) => one === cellOf("whose")) ?? missing("whose");
    return { path: cellOf("path"), whose, under: (policy) => readCell(cellOf(policy)) };
  });
}

const ACR = { pwd: "urn:latchkey:acr:pwd", mfa: "urn:latchkey:acr:mfa", phr: "phr" } as const;
const AMR_OF: Readonly<Record<string, readonly string[]>> = { pwd: ["pwd"], otp: ["otp"], swk: ["swk", "user"] };

function readCell(cell: string): Expectation {
  if (cell === "unmet") return { error: "unmet_authentication_requirements" };
  const [proofs = "", says] = cell.split(", says ");
  const amr = proofs.split(" ").flatMap((proof) => AMR_OF[proof] ?? []);
  if (amr.length === 0) return { error: cell };
  const reached = amr.includes("swk") ? "phr" : amr.includes("otp") ? "mfa" : "pwd";
  const acr = ACR[says === undefined ? reached : says === "pwd" ? "pwd" : "mfa"];
  return { acr, amr: reached === "pwd" ? amr : [...amr, "mfa"] };
}

function missing(head: string): never {
  throw new Error(`the table has no such cell: ${head}`);
}
