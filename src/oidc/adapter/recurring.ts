import type { Dictionary } from "./dictionary.ts";

/** Payload members that recur between people. */
export type Recurring = Readonly<Record<string, unknown>>;

const DICTIONARY_NAME_BYTES = 6;
const ENCODED_MAX = 10_000;

/** Puts what recurs into its name in the dictionary or, where that is full, writes it out. */
export function createRecurringCodec(dictionary: Dictionary) {
  /** By the text as it comes, so that what recurs is put into its canonical form once. */
  const encoded = new Map<string, Buffer>();

  async function encode(recurring: Recurring): Promise<Buffer> {
    const key = JSON.stringify(recurring);
    const known = encoded.get(key);
    if (known !== undefined) return known;
    const text = canonicalJson(recurring);
    const name = await dictionary.intern(text);
    if (name === undefined) return Buffer.from(text);
    if (encoded.size >= ENCODED_MAX) encoded.clear();
    encoded.set(key, name);
    return name;
  }

  /** Six bytes are a name; no text of ours is as short. */
  async function decode(value: Buffer): Promise<Recurring | undefined> {
    if (value.length !== DICTIONARY_NAME_BYTES) return parseRecurring(value.toString("utf8"));
    const text = dictionary.peek(value) ?? (await dictionary.resolve(value));
    return text === undefined ? undefined : parseRecurring(text);
  }

  return { encode, decode };
}

function parseRecurring(text: string): Recurring | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Recurring) : undefined;
  } catch {
    return undefined;
  }
}

/** JSON with sorted members and sorted scopes, so that the same content always has the same text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (name, member: unknown) => {
    if (name === "scope" && typeof member === "string") return member.split(" ").toSorted().join(" ");
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).toSorted(([left], [right]) => (left < right ? -1 : 1)));
  });
}
