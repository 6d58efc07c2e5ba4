import { VerifierError } from "./errors.ts";

export interface VerifierOptions {
  /** The issuer exactly as its tokens and its discovery document have it; https, or http on this machine. */
  readonly issuer: string;
  /** What this service is called in tokens: their `aud` must hold it. */
  readonly audience: string;
  /**
   * How revocations are heard of: pushed and kept in memory, asked for at every call (RFC 7662), or not at all, so that
   * a token works until it expires.
   */
  readonly revocations: "feed" | "introspection" | "none";
  /** This service as a confidential client of the issuer; needed unless `revocations` is `none`. */
  readonly client?: ClientCredentials;
  /** The feed is stale when no heartbeat came for so long; 1,000 to 60,000, by default 3,000. */
  readonly staleAfterMs?: number;
  /** What to do while the feed is stale; by default `introspect`. What is known to be revoked is refused in any case. */
  readonly onStale?: "introspect" | "reject" | "accept";
  /** Signatures that are accepted, for tokens and for DPoP proofs; only asymmetric ones can be named. */
  readonly algorithms?: readonly string[];
  /** By how much clocks may differ; 0 to 60, by default 5. */
  readonly clockToleranceSeconds?: number;
  /** How long the issuer may take to answer; 100 to 60,000, by default 5,000. */
  readonly timeoutMs?: number;
  /** How many verified tokens are remembered, so that each signature is verified once; 0 to 1,000,000, by default 10,000. */
  readonly rememberedTokensMax?: number;
  /** `resource_metadata` of challenges (RFC 9728, section 5.1). */
  readonly resourceMetadataUrl?: string;
  /** How old a DPoP proof may be; 1 to 600, by default 60. */
  readonly proofAgeSecondsMax?: number;
  /** Where used DPoP proofs are remembered; by default in this process, so that each process accepts a proof once. */
  readonly usedProofs?: UsedProofs;
  /** For every request to the issuer; by default the platform's. */
  readonly fetch?: typeof fetch;
}

/** Sent by `client_secret_basic` (RFC 6749, section 2.3.1). */
export interface ClientCredentials {
  readonly id: string;
  readonly secret: string;
}

/** A memory of used DPoP proofs (RFC 9449, section 11.1) that several processes can share. */
export interface UsedProofs {
  /** Atomic: true for the first caller with this key, false for every other until `expiresAt` (seconds). */
  consume(key: string, expiresAt: number): Promise<boolean>;
}

/** The options with their defaults, checked. */
export interface Settings extends Required<Omit<VerifierOptions, "client" | "resourceMetadataUrl" | "usedProofs">> {
  readonly client: ClientCredentials | undefined;
  readonly resourceMetadataUrl: string | undefined;
  readonly usedProofs: UsedProofs | undefined;
}

/** `none` and the HMACs are not here: with them, whoever can verify could also sign. */
const ASYMMETRIC_ALGORITHMS = "ES256 ES384 ES512 EdDSA Ed25519 PS256 PS384 PS512 RS256 RS384 RS512".split(" ");
const DEFAULT_ALGORITHMS = ["ES256", "EdDSA", "Ed25519", "RS256", "PS256"] as const;

/** @throws VerifierError `options_invalid`, which says what is wrong. */
export function parseOptions(options: VerifierOptions): Settings {
  if (typeof options !== "object" || options === null) throw invalid("they are no object");
  const settings: Settings = {
    issuer: parseIssuer(options.issuer),
    audience: parseText("audience", options.audience),
    revocations: parseChoice("revocations", options.revocations, ["feed", "introspection", "none"]),
    client: parseClient(options.client),
    staleAfterMs: parseNumber("staleAfterMs", options.staleAfterMs ?? 3_000, [1_000, 60_000]),
    onStale: parseChoice("onStale", options.onStale ?? "introspect", ["introspect", "reject", "accept"]),
    algorithms: parseAlgorithms(options.algorithms ?? DEFAULT_ALGORITHMS),
    clockToleranceSeconds: parseNumber("clockToleranceSeconds", options.clockToleranceSeconds ?? 5, [0, 60]),
    timeoutMs: parseNumber("timeoutMs", options.timeoutMs ?? 5_000, [100, 60_000]),
    rememberedTokensMax: parseNumber("rememberedTokensMax", options.rememberedTokensMax ?? 10_000, [0, 1_000_000]),
    resourceMetadataUrl: parseMetadataUrl(options.resourceMetadataUrl),
    proofAgeSecondsMax: parseNumber("proofAgeSecondsMax", options.proofAgeSecondsMax ?? 60, [1, 600]),
    usedProofs: options.usedProofs,
    fetch: parseFetch(options.fetch ?? globalThis.fetch),
  };
  if (settings.revocations !== "none" && settings.client === undefined) {
    throw invalid(`revocations: "${settings.revocations}" needs client`);
  }
  return Object.freeze(settings);
}

function invalid(detail: string): VerifierError {
  return new VerifierError("options_invalid", { detail });
}

function parseText(name: string, value: unknown): string {
  if (typeof value !== "string" || value === "") throw invalid(`${name} must be a text`);
  return value;
}

function parseChoice<Choice extends string>(name: string, value: unknown, choices: readonly Choice[]): Choice {
  const choice = choices.find((known) => known === value);
  if (choice === undefined) throw invalid(`${name} must be one of ${choices.join(", ")}`);
  return choice;
}

function parseNumber(name: string, value: unknown, range: readonly [number, number]): number {
  const [min, max] = range;
  if (typeof value !== "number" || !(value >= min && value <= max)) throw invalid(`${name} must be ${min} to ${max}`);
  return value;
}

function parseIssuer(value: unknown): string {
  const issuer = parseText("issuer", value);
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url === undefined || url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") {
    throw invalid("issuer must be an address without query, fragment and credentials");
  }
  // Over plain http anybody on the way could hand out keys of their own.
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw invalid("issuer must be https");
  }
  return issuer;
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}

function parseAlgorithms(value: unknown): readonly string[] {
  const known: readonly unknown[] = ASYMMETRIC_ALGORITHMS;
  if (!Array.isArray(value) || value.length === 0 || !value.every((name) => known.includes(name))) {
    throw invalid(`algorithms must be of ${ASYMMETRIC_ALGORITHMS.join(", ")}`);
  }
  return Object.freeze(value.map(String));
}

function parseClient(value: unknown): ClientCredentials | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "object" || value === null) throw invalid("client must have an id and a secret");
  const { id, secret } = value as Partial<Record<string, unknown>>;
  return Object.freeze({ id: parseText("client.id", id), secret: parseText("client.secret", secret) });
}

function parseMetadataUrl(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = parseText("resourceMetadataUrl", value);
  // The normalized form holds neither quotes nor backslashes outside its query, and goes into a header as it is.
  if (!URL.canParse(text) || /["\\\s]/.test(text)) throw invalid("resourceMetadataUrl must be an address");
  return new URL(text).href;
}

function parseFetch(value: unknown): typeof fetch {
  if (typeof value !== "function") throw invalid("fetch must be a function");
  // Some platforms refuse a fetch that is called as the method of another object.
  return (input, init) => (value as typeof fetch)(input, init);
}
