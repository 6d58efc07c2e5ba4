import { sha256 } from "../core/index.ts";
import type { AddressPolicy } from "../outbound/index.ts";
import type { ResourceServer } from "./client.ts";
import { parseGivenSecrets } from "./client-secrets.ts";
import { type ParsedClient, parseClientSettings } from "./client-settings.ts";
import { parseResourceServerSettings } from "./resource-server-settings.ts";
import { InvalidSettingsError, type SettingsFault } from "./settings-faults.ts";

/** What a declarative file says of one client or resource server. */
export type Declaration =
  | { readonly kind: "resource_server"; readonly wish: "present"; readonly resourceServer: ResourceServer }
  | { readonly kind: "resource_server"; readonly wish: "absent"; readonly identifier: string }
  | {
      readonly kind: "client";
      readonly wish: "present";
      readonly parsed: ParsedClient;
      /** SHA-256 of the secrets in its secret file; empty when Latchkey makes the secret. */
      readonly secretHashes: readonly Buffer[];
    }
  | { readonly kind: "client"; readonly wish: "absent"; readonly id: string };

/** The contents of the files that the document names, by the name that it uses. */
export type SecretFiles = ReadonlyMap<string, string>;

const ENTRIES_MAX = 10_000;
const TOP_LEVEL_KEYS = ["resources", "clients"] as const;

/** The secret files that a document names; what else is wrong with it is left to {@link parseDeclarations}. */
export function listSecretFiles(document: unknown): readonly string[] {
  const { clients } = isRecord(document) ? document : {};
  if (!Array.isArray(clients)) return [];
  const names = clients.map((entry: unknown) => (isRecord(entry) ? entry["secretFile"] : undefined));
  return [...new Set(names.filter((name) => typeof name === "string"))];
}

/**
 * Reads a whole document: resource servers first, because clients refer to them.
 *
 * @throws InvalidSettingsError DECLARATION_INVALID with every fault of every entry.
 */
export function parseDeclarations(
  document: unknown,
  secretFiles: SecretFiles,
  addresses?: AddressPolicy,
): readonly Declaration[] {
  const faults: SettingsFault[] = [];
  const lists = readLists(document, faults);
  const declarations = [
    ...lists.resources.flatMap((entry, index) => {
      const label = labelOf("resources", entry, { idKey: "identifier", index });
      return collect(faults, label, () => parseResourceEntry(entry));
    }),
    ...lists.clients.flatMap((entry, index) => {
      const label = labelOf("clients", entry, { idKey: "id", index });
      return collect(faults, label, () => parseClientEntry(entry, secretFiles, addresses));
    }),
  ];
  faults.push(...findRepetitions(declarations));
  if (faults.length > 0) throw new InvalidSettingsError("DECLARATION_INVALID", faults);
  return declarations;
}

type Entry = Readonly<Record<string, unknown>>;

function readLists(
  document: unknown,
  faults: SettingsFault[],
): { resources: readonly unknown[]; clients: readonly unknown[] } {
  const given = document ?? {};
  if (!isRecord(given)) {
    faults.push({ key: "the file", problem: `is not a set of keys; it may have ${TOP_LEVEL_KEYS.join(" and ")}` });
    return { resources: [], clients: [] };
  }
  for (const key of Object.keys(given)) {
    const isKnown = TOP_LEVEL_KEYS.some((known) => known === key);
    if (!isKnown) faults.push({ key, problem: `is not a known key (known are ${TOP_LEVEL_KEYS.join(", ")})` });
  }
  const listAt = (key: (typeof TOP_LEVEL_KEYS)[number]): readonly unknown[] => {
    const list = given[key] ?? [];
    if (Array.isArray(list) && list.length <= ENTRIES_MAX) return list;
    faults.push({ key, problem: `is not a list of at most ${ENTRIES_MAX} entries` });
    return [];
  };
  return { resources: listAt("resources"), clients: listAt("clients") };
}

function parseResourceEntry(entry: unknown): Declaration {
  const identifier = removedId(entry, "identifier");
  if (identifier !== undefined) return { kind: "resource_server", wish: "absent", identifier };
  return {
    kind: "resource_server",
    wish: "present",
    resourceServer: parseResourceServerSettings(withoutRemove(entry)),
  };
}

function parseClientEntry(entry: unknown, secretFiles: SecretFiles, addresses: AddressPolicy | undefined): Declaration {
  const id = removedId(entry, "id");
  if (id !== undefined) return { kind: "client", wish: "absent", id };
  const faults: SettingsFault[] = [];
  const { secretFile, ...settings } = isRecord(entry) ? entry : {};
  const [parsed] = collect(faults, undefined, () =>
    parseClientSettings(isRecord(entry) ? withoutRemove(settings) : entry, addresses),
  );
  const secretHashes = secretFile === undefined ? [] : readSecretFile(secretFile, secretFiles, faults);
  const authMethod = parsed?.metadata.authMethod;
  if (secretFile !== undefined && (authMethod === "none" || authMethod === "private_key_jwt")) {
    faults.push({ key: "secretFile", problem: `is of no use with authMethod ${authMethod}` });
  }
  if (faults.length > 0 || parsed === undefined) throw new InvalidSettingsError("CLIENT_INVALID", faults);
  return { kind: "client", wish: "present", parsed, secretHashes };
}

function readSecretFile(name: unknown, files: SecretFiles, faults: SettingsFault[]): readonly Buffer[] {
  const text = typeof name === "string" ? files.get(name) : undefined;
  const secrets = text === undefined ? undefined : parseGivenSecrets(text);
  if (secrets !== undefined) return secrets.map((secret) => sha256(secret));
  const problem =
    text === undefined
      ? "names a file that cannot be read"
      : "names a file that is not one to five random secrets of 43 to 200 characters, one a line (openssl rand -base64 48)";
  faults.push({ key: "secretFile", problem });
  return [];
}

/** The id of an entry that says `remove: true` and nothing else: what would be ignored is not accepted. */
function removedId(entry: unknown, idKey: string): string | undefined {
  if (!isRecord(entry) || entry["remove"] !== true) return undefined;
  const { [idKey]: id, remove: _remove, ...others } = entry;
  const faults = Object.keys(others).map((key) => ({ key, problem: "has no meaning beside remove: true" }));
  if (typeof id !== "string") faults.push({ key: idKey, problem: "is missing" });
  if (faults.length > 0 || typeof id !== "string") throw new InvalidSettingsError("DECLARATION_INVALID", faults);
  return id;
}

function withoutRemove(entry: unknown): unknown {
  if (!isRecord(entry) || entry["remove"] !== false) return entry;
  const { remove: _remove, ...settings } = entry;
  return settings;
}

function collect<Result>(faults: SettingsFault[], label: string | undefined, parse: () => Result): readonly Result[] {
  try {
    return [parse()];
  } catch (error) {
    if (!(error instanceof InvalidSettingsError)) throw error;
    const prefix = label === undefined ? "" : `${label}.`;
    faults.push(...error.faults.map(({ key, problem }) => ({ key: `${prefix}${key}`, problem })));
    return [];
  }
}

/** Names the entry by its id where it has one, else by its place. */
function labelOf(list: string, entry: unknown, place: { readonly idKey: string; readonly index: number }): string {
  const id = isRecord(entry) ? entry[place.idKey] : undefined;
  return typeof id === "string" ? `${list}.${id}` : `${list}[${place.index}]`;
}

function findRepetitions(declarations: readonly Declaration[]): readonly SettingsFault[] {
  const byName = Map.groupBy(declarations, (declaration) => `${declaration.kind}:${nameOf(declaration)}`);
  return [...byName.values()]
    .filter((group) => group.length > 1)
    .flatMap(([first]) => (first === undefined ? [] : [{ key: nameOf(first), problem: "is declared twice" }]));
}

/** The id of a client, the identifier of a resource server. */
export function nameOf(declaration: Declaration): string {
  if (declaration.kind === "client") return declaration.wish === "present" ? declaration.parsed.id : declaration.id;
  return declaration.wish === "present" ? declaration.resourceServer.identifier : declaration.identifier;
}

function isRecord(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
