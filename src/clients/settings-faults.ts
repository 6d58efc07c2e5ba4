import { z } from "zod";
import { AppError } from "../core/index.ts";

/** One thing that is wrong with settings, in words: `key problem`. It holds no secret. */
export interface SettingsFault {
  /** Such as `redirectUris[1]`. */
  readonly key: string;
  readonly problem: string;
}

export type SettingsErrorCode =
  | "CLIENT_INVALID"
  | "RESOURCE_SERVER_INVALID"
  | "RESOURCE_SERVER_IN_USE"
  | "DECLARATION_INVALID";

/** Settings that cannot be used; every fault at once, so that an operator mends them in one go. */
export class InvalidSettingsError extends AppError {
  readonly faults: readonly SettingsFault[];

  constructor(code: SettingsErrorCode, faults: readonly SettingsFault[]) {
    super(code, { detail: faults.map(({ key, problem }) => `${key} ${problem}`).join("; ") });
    this.name = "InvalidSettingsError";
    this.faults = faults;
  }
}

type Values<Shape extends z.ZodRawShape> = { readonly [Key in keyof Shape]?: z.output<Shape[Key]> };

/**
 * Reads the keys of `input` one by one. Unlike a strict object of zod it returns the values that are right beside the
 * faults of the others, so that rules over several keys are checked in the same run.
 */
export function parseFields<Shape extends z.ZodRawShape>(
  shape: Shape,
  input: unknown,
): { readonly values: Values<Shape>; readonly faults: readonly SettingsFault[] } {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { values: {}, faults: [{ key: "it", problem: "is not a set of keys with values" }] };
  }
  const given = new Map<string, unknown>(Object.entries(input));
  const values: Record<string, unknown> = {};
  const faults: SettingsFault[] = [];
  for (const [key, schema] of Object.entries(shape)) {
    const result = z.safeParse(schema, given.get(key));
    if (result.success) values[key] = result.data;
    else if (given.get(key) === undefined) faults.push({ key, problem: "is missing" });
    else faults.push(...result.error.issues.flatMap((issue) => wordFault(key, issue)));
  }
  for (const key of given.keys()) {
    if (!Object.hasOwn(shape, key)) faults.push({ key, problem: unknownKeyProblem(Object.keys(shape)) });
  }
  return { values: values as Values<Shape>, faults };
}

/** Says of a key that is not there what may be there, so that a misspelling is seen at once. */
function unknownKeyProblem(known: readonly string[]): string {
  return `is not a known key (known are ${known.join(", ")})`;
}

function wordFault(key: string, issue: z.core.$ZodIssue): SettingsFault[] {
  const path = issue.path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  if (issue.code !== "unrecognized_keys") return [{ key: `${key}${path}`, problem: issue.message }];
  return issue.keys.map((unknown) => ({ key: `${key}${path}.${unknown}`, problem: "is not a known key" }));
}

const SINGLE_LINE = /^[^\p{Cc}\p{Zl}\p{Zp}]*$/u;

/** A name or sentence that a page shows: one line, trimmed. */
export function shownText(charactersMax: number) {
  return z
    .string("is not text")
    .trim()
    .min(1, "is empty")
    .max(charactersMax, `is longer than ${charactersMax} characters`)
    .regex(SINGLE_LINE, "has line breaks or control characters");
}

/** Text that `fault` finds nothing wrong with. */
export function checkedText(fault: (value: string) => string | undefined) {
  return z.string("is not text").superRefine((value, context) => {
    const problem = fault(value);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  });
}

/** A list without repetitions. */
export function distinctList<Item extends z.ZodType>(item: Item, itemsMax: number) {
  return z
    .array(item, "is not a list")
    .max(itemsMax, `has more than ${itemsMax} entries`)
    .refine((list) => new Set(list).size === list.length, "names the same entry twice");
}

export const flag = z.boolean("is neither true nor false");

export function oneOf<const Names extends readonly string[]>(names: Names) {
  return z.enum(names, `is none of ${names.join(", ")}`);
}
