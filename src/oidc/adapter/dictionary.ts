import { sha256 } from "../../core/index.ts";
import { guardStore, type Db } from "../../storage/index.ts";

/** Digests of 6 bytes; a value whose digest is taken by another is simply not interned. */
const DIGEST_BYTES = 6;
/** What a deployment needs is a few entries a client. Past this, somebody is making them up. */
const ENTRIES_MAX = 50_000;
const CACHE_MAX = 20_000;

type DictionaryTables = {
  oidc_dictionary: { digest: Buffer; value: string };
};

/**
 * Texts that recur in very many values (a client with its scopes and resources, `acr` with `amr`), kept once in
 * Postgres and named by six bytes elsewhere.
 *
 * A name is the digest of its text: the table has no counter, so a database restored from yesterday can miss a text,
 * which reads as "not found", but can never give a name another meaning.
 */
export interface Dictionary {
  /** What {@link Dictionary.resolve} would say, if it is known here already. */
  peek(name: Buffer): string | undefined;
  /** The text's name, or `undefined` when the text has to be written out in full. */
  intern(text: string): Promise<Buffer | undefined>;
  resolve(name: Buffer): Promise<string | undefined>;
}

export function createDictionary(deps: { db: Db }): Dictionary {
  const db = deps.db.withTables<DictionaryTables>();
  const texts = new Map<string, string>();
  const names = new Map<string, Buffer>();
  /** Texts that are known not to be interned, so that a full dictionary is not asked again at every write. */
  const refused = new Set<string>();
  let isFull = false;

  function remember(name: Buffer, text: string): void {
    if (texts.size >= CACHE_MAX) {
      texts.clear();
      names.clear();
    }
    texts.set(name.toString("latin1"), text);
    names.set(text, name);
  }

  async function lookUp(name: Buffer): Promise<string | undefined> {
    const row = await db.selectFrom("oidc_dictionary").select("value").where("digest", "=", name).executeTakeFirst();
    if (row !== undefined) remember(name, row.value);
    return row?.value;
  }

  async function add(name: Buffer, text: string): Promise<void> {
    const { count } = await db
      .selectFrom("oidc_dictionary")
      .select((expression) => expression.fn.countAll<string>().as("count"))
      .executeTakeFirstOrThrow();
    isFull = Number(count) >= ENTRIES_MAX;
    if (isFull) return;
    await db
      .insertInto("oidc_dictionary")
      .values({ digest: name, value: text })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  return {
    peek: (name) => texts.get(name.toString("latin1")),
    async intern(text) {
      const known = names.get(text);
      if (known !== undefined || refused.has(text)) return known;
      const name = sha256(text).subarray(0, DIGEST_BYTES);
      return guardStore(async () => {
        if ((await lookUp(name)) === undefined && !isFull) await add(name, text);
        if ((await lookUp(name)) === text) return name;
        if (refused.size >= CACHE_MAX) refused.clear();
        refused.add(text);
        return undefined;
      });
    },
    resolve: async (name) => texts.get(name.toString("latin1")) ?? guardStore(() => lookUp(name)),
  };
}
