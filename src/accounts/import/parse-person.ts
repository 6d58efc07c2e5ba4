import { z } from "zod";
import { type EmailAddress, parseEmail } from "../email-address.ts";
import type { FirebaseParameters } from "../passwords/foreign/firebase.ts";
import { encodeForeignHash } from "../passwords/foreign/foreign-hash.ts";
import { parseLocale, parseName } from "../profile.ts";
import { parseHash, writtenHash } from "./parse-hash.ts";

/** Long enough for what other systems name people by; the signs are those that no address, path or log trips over. */
const ID = /^[A-Za-z0-9._|:-]{1,64}$/;
const EARLIEST_MS = Date.UTC(1990, 0, 1);
const FIELD_NAME = /^[A-Za-z_]{1,40}$/;

const text = z.string("is not text");
const flag = z.boolean("is neither true nor false");

const person = z.strictObject({
  email: text,
  id: text.regex(ID, "is not 1 to 64 letters, digits and . _ | : -").optional(),
  name: text.optional(),
  locale: text.optional(),
  emailVerified: flag.default(false),
  disabled: flag.default(false),
  createdAt: z.iso.datetime({ offset: true, message: "is no time such as 2024-05-01T12:00:00Z" }).optional(),
  passwordHash: writtenHash.optional(),
});

/** A person as another system had them, ready to be added. */
export interface ImportedPerson {
  /** The `sub` that apps know the person by, if it is to stay. */
  readonly id: string | undefined;
  readonly email: EmailAddress;
  readonly name: string;
  readonly locale: string | undefined;
  readonly isEmailVerified: boolean;
  readonly isDisabled: boolean;
  readonly createdAt: Date;
  /** As it is kept. */
  readonly passwordHash: string;
}

/** The problem names a field and says what is wrong with it; it holds nothing of what stands there. */
export type ParsedPerson =
  | { readonly kind: "person"; readonly person: ImportedPerson }
  | { readonly kind: "refused"; readonly problem: string };

export interface ParsingOptions {
  readonly firebase: FirebaseParameters | undefined;
  readonly now: Date;
}

/** Reads one line of an import: a JSON object. */
export function parsePerson(line: string, { firebase, now }: ParsingOptions): ParsedPerson {
  const parsed = person.safeParse(parseJson(line));
  if (!parsed.success) return refuse(firstProblem(parsed.error));
  const { data } = parsed;
  const email = parseEmail(data.email);
  if (email === undefined) return refuse("email is no address");
  // Many systems know people by their address alone.
  const name = parseName(data.name ?? email.address.replace(/@.*$/, ""));
  if (name === undefined) return refuse("name is empty, longer than 200 characters, or has signs that cannot be seen");
  const locale = data.locale === undefined ? undefined : parseLocale(data.locale.replaceAll("_", "-"));
  if (data.locale !== undefined && locale === undefined) return refuse("locale is no language tag such as de or de-CH");
  const createdAt = data.createdAt === undefined ? now : new Date(data.createdAt);
  if (createdAt.getTime() < EARLIEST_MS || createdAt > now)
    return refuse("createdAt is before 1990, or has yet to come");
  const hash = parseHash(data.passwordHash, firebase);
  if (hash.kind === "fault") return refuse(`passwordHash ${hash.problem}`);
  const { id, emailVerified: isEmailVerified, disabled: isDisabled } = data;
  const passwordHash = encodeForeignHash(hash.foreign);
  return { kind: "person", person: { id, email, name, locale, isEmailVerified, isDisabled, createdAt, passwordHash } };
}

function refuse(problem: string): ParsedPerson {
  return { kind: "refused", problem };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function firstProblem({ issues: [issue] }: z.ZodError): string {
  if (issue === undefined || issue.path.length === 0) return wordWhole(issue);
  const inner = issue.code === "invalid_union" ? issue.errors.flat().find(({ path }) => path.length > 0) : undefined;
  return `${[...issue.path, ...(inner?.path ?? [])].join(".")} ${(inner ?? issue).message}`;
}

function wordWhole(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code !== "unrecognized_keys") return "the line is no JSON object";
  const named = issue.keys.filter((key) => FIELD_NAME.test(key)).slice(0, 3);
  return `the line has fields that are not known${named.length === 0 ? "" : `: ${named.join(", ")}`}`;
}
