import { createVerifier, type Verifier, VerifierError, type VerifierOptions } from "../../src/verifier/index.ts";
import { type Cable, layCable } from "../support/cable.ts";
import { ordersApi } from "../support/cast.ts";
import { fetchAt } from "./chosen-node.ts";
import type { Deployment } from "./deployment.ts";

/** The orders API: it hears of revocations from one node, over a wire that can be cut, and asks another the rest. */
export interface ListeningService {
  readonly verifier: Verifier;
  readonly feed: Cable;
  /** `accepted`, or the code of the refusal. */
  verify(token: string): Promise<string>;
  close(): Promise<void>;
}

export interface ListeningOptions {
  readonly onStale: NonNullable<VerifierOptions["onStale"]>;
  readonly staleAfterMs?: number;
  /** Where it listens; the node in this process if it is not said. */
  readonly feedOrigin?: string;
  /** Where everything else goes: discovery, keys, tokens, introspection. */
  readonly restOrigin?: string;
}

/** Resolves when it is up to date. */
export async function startListening(
  { world, orders }: Pick<Deployment, "world" | "orders">,
  options: ListeningOptions,
): Promise<ListeningService> {
  const own = `http://127.0.0.1:${world.latchkey.settings.PORT}`;
  const { onStale, staleAfterMs = 3_000, feedOrigin = own, restOrigin = own } = options;
  const feed = await layCable(feedOrigin);
  const verifier = createVerifier({
    issuer: world.latchkey.issuer,
    audience: ordersApi.identifier,
    revocations: "feed",
    client: { id: orders.id, secret: orders.secret ?? "" },
    onStale,
    staleAfterMs,
    fetch: fetchAt((path) => (path === "/revocations" ? feed.url : restOrigin)),
  });
  await verifier.ready();
  return {
    verifier,
    feed,
    verify: (token) => outcomeOf(verifier, token),
    async close() {
      await verifier.close();
      await feed.close();
    },
  };
}

export async function outcomeOf(verifier: Verifier, token: string): Promise<string> {
  try {
    await verifier.verify(token);
    return "accepted";
  } catch (error) {
    return error instanceof VerifierError ? error.code : "something else was thrown";
  }
}
