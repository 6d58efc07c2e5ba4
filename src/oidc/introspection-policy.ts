import type { Clients } from "../clients/index.ts";

/** Of a token, what decides who may ask about it. */
export interface AskedAbout {
  readonly clientId: string | undefined;
  readonly audience: string | undefined;
}

/**
 * Tells whether a client may ask about a token (RFC 7662, section 4): one that it got itself, or one for an API that
 * the operator says it is. The same for opaque tokens and for JWTs.
 */
export function createIntrospectionPolicy(clients: Pick<Clients, "findClient">) {
  return async (askingClientId: string, { clientId, audience }: AskedAbout): Promise<boolean> => {
    if (clientId === askingClientId) return true;
    const introspects = (await clients.findClient(askingClientId))?.introspects ?? [];
    return audience !== undefined && introspects.includes(audience);
  };
}

export type IntrospectionPolicy = ReturnType<typeof createIntrospectionPolicy>;
