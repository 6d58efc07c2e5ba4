import { isAppError } from "../core/index.ts";
import { type Declaration, nameOf } from "./declarations.ts";
import type { Difference } from "./differences.ts";
import type { Registry } from "./registry.ts";

/** What applying one declaration does, or did. */
export interface AppliedChange {
  readonly action: "create" | "change" | "remove";
  readonly kind: "client" | "resource_server";
  /** The client's id or the resource server's identifier. */
  readonly name: string;
  /** What differs; empty when something is created or removed. */
  readonly differences: readonly Difference[];
  /** A client's new secret; nobody can read it a second time. */
  readonly secret: string | undefined;
}

type Outcome = Omit<AppliedChange, "kind" | "name">;

/**
 * Makes the registry agree with the declarations and returns what was different. What no declaration names is left
 * alone: a file of one team must not remove the clients of another.
 */
export async function applyDeclarations(
  registry: Registry,
  declarations: readonly Declaration[],
): Promise<readonly AppliedChange[]> {
  const changes: AppliedChange[] = [];
  for (const declaration of declarations) {
    const outcome = await applyOne(registry, declaration);
    if (outcome !== undefined) changes.push({ ...outcome, kind: declaration.kind, name: nameOf(declaration) });
  }
  return changes;
}

function applyOne(registry: Registry, declaration: Declaration): Promise<Outcome | undefined> {
  if (declaration.wish === "absent") {
    return declaration.kind === "client"
      ? remove(() => registry.clients.remove(declaration.id))
      : remove(() => registry.resourceServers.remove(declaration.identifier));
  }
  return declaration.kind === "client"
    ? ensureClient(registry, declaration)
    : ensureResourceServer(registry, declaration);
}

type Present<Kind> = Extract<Declaration, { readonly kind: Kind; readonly wish: "present" }>;

async function ensureClient({ clients }: Registry, declaration: Present<"client">): Promise<Outcome | undefined> {
  const { parsed, secretHashes } = declaration;
  const current = await clients.find(parsed.id);
  if (current === undefined) {
    const { secret } = await clients.insert(parsed, secretHashes);
    return { action: "create", differences: [], secret };
  }
  const { differences, secret } = await clients.replace(current, parsed, secretHashes);
  return differences.length === 0 ? undefined : { action: "change", differences, secret };
}

async function ensureResourceServer(
  { resourceServers }: Registry,
  { resourceServer }: Present<"resource_server">,
): Promise<Outcome | undefined> {
  const current = await resourceServers.find(resourceServer.identifier);
  if (current === undefined) {
    await resourceServers.insert(resourceServer);
    return { action: "create", differences: [], secret: undefined };
  }
  const differences = await resourceServers.replace(current, resourceServer);
  return differences.length === 0 ? undefined : { action: "change", differences, secret: undefined };
}

/** What is gone already needs no change. */
async function remove(removal: () => Promise<void>): Promise<Outcome | undefined> {
  try {
    await removal();
    return { action: "remove", differences: [], secret: undefined };
  } catch (error) {
    const isGone = isAppError(error, "CLIENT_NOT_FOUND") || isAppError(error, "RESOURCE_SERVER_NOT_FOUND");
    if (isGone) return undefined;
    throw error;
  }
}
