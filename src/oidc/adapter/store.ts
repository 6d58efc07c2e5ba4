/** The named binary values under one key. */
export type Fields = ReadonlyMap<string, Buffer>;

/** A change of several fields of one key: all of it happens, or nothing. */
export interface FieldChange {
  /** What must still be so: a field's exact value, or `undefined` for "not there". */
  readonly expect: ReadonlyMap<string, Buffer | undefined>;
  readonly set?: ReadonlyMap<string, Buffer>;
  readonly drop?: readonly string[];
  /** Seconds since the Unix epoch. The key lives at least until then; a change never shortens its life. */
  readonly expiresAt: number;
}

/**
 * Where protocol state lies, in three operations. Redis and Postgres implement it and pass one contract suite.
 *
 * Every key expires. Values are opaque here; `key` is made by `identifiers.ts` and holds no usable secret.
 */
export interface ProtocolStore {
  /** Reads the keys in one round trip, in their order; a key that is not there, or has expired, has no fields. */
  read(keys: readonly string[]): Promise<readonly Fields[]>;
  /** Compares and sets in one atomic step. `false`: something was not as expected, and nothing was changed. */
  change(key: string, change: FieldChange): Promise<boolean>;
  delete(key: string): Promise<void>;
}
