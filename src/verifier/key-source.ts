import { createLocalJWKSet, type CryptoKey, errors, type JSONWebKeySet, type JWSHeaderParameters } from "jose";
import { VerifierError } from "./errors.ts";
import type { IssuerMetadata } from "./issuer-metadata.ts";
import type { IssuerRequests } from "./issuer-requests.ts";
import type { JsonObject } from "./json-object.ts";
import { createKeptValue, type KeptValue } from "./kept-value.ts";
import type { Platform } from "./platform.ts";

type KeyName = Pick<JWSHeaderParameters, "alg" | "kid">;

export interface KeySource {
  /**
   * The issuer's key of that name, for that algorithm.
   *
   * @throws VerifierError `token_key_unknown`, `issuer_unavailable`, `issuer_misconfigured`
   */
  find(header: JWSHeaderParameters): CryptoKey | Promise<CryptoKey>;
  /** The same if nothing has to be loaded or imported for it, and otherwise nothing. */
  peek(name: KeyName): CryptoKey | undefined;
  load(): Promise<void>;
  isLoaded(): boolean;
}

interface KeySet {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  /** Keys that were found, by algorithm and name; no more than the set holds. */
  readonly found: Map<string, CryptoKey>;
}

/** After so long the issuer is asked again, so that a key that it no longer shows is not trusted for ever. */
const AGE_MS_MAX = 10 * 60 * 1_000;
/** Names of keys can be made up, so they make us ask at most so often. */
const COOL_DOWN_MS = 10_000;

export function createKeySource(deps: {
  readonly metadata: KeptValue<IssuerMetadata>;
  readonly requests: IssuerRequests;
  readonly platform: Platform;
  /** Told when the key set is another one: a key that has gone may have signed what is remembered. */
  readonly onChanged: () => void;
}): KeySource {
  let published: { readonly content: string; readonly keySet: KeySet } | undefined;

  async function load(): Promise<KeySet> {
    const { jwksUri } = await deps.metadata.get();
    const document = await deps.requests.getJson(jwksUri);
    const content = JSON.stringify(document);
    // The same keys stay imported: importing costs more than verifying with them.
    if (published?.content === content) return published.keySet;
    const keySet: KeySet = { find: parseKeySet(document), found: new Map() };
    if (published !== undefined) deps.onChanged();
    published = { content, keySet };
    return keySet;
  }

  const keys = createKeptValue({ platform: deps.platform, load, ageMsMax: AGE_MS_MAX, coolDownMs: COOL_DOWN_MS });

  async function search(header: JWSHeaderParameters): Promise<CryptoKey> {
    const known = await findIn(await keys.get(), header);
    if (known !== undefined) return known;
    await keys.refresh();
    const foundAnew = await findIn(await keys.get(), header);
    if (foundAnew === undefined) throw new VerifierError("token_key_unknown");
    return foundAnew;
  }

  const peek = (name: KeyName): CryptoKey | undefined => keys.peek()?.found.get(nameOf(name));

  return {
    find: (header) => peek(header) ?? search(header),
    peek,
    async load() {
      await keys.get();
    },
    isLoaded: () => keys.isKnown(),
  };
}

function nameOf({ alg, kid }: KeyName): string {
  return `${alg} ${kid}`;
}

/** Absent: no key has that name and algorithm, or several have. */
async function findIn({ find, found }: KeySet, header: JWSHeaderParameters): Promise<CryptoKey | undefined> {
  try {
    const key = await find(header);
    found.set(nameOf(header), key);
    return key;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException) {
      return undefined;
    }
    throw error;
  }
}

function parseKeySet(document: JsonObject): KeySet["find"] {
  try {
    return createLocalJWKSet(document as unknown as JSONWebKeySet);
  } catch (cause) {
    throw new VerifierError("issuer_misconfigured", { detail: "its jwks_uri holds no key set", cause });
  }
}
