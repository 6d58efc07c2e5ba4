import type { Accounts } from "../accounts/index.ts";
import type { Clients } from "../clients/index.ts";
import { isAppError } from "../core/index.ts";
import { guardStore } from "../storage/index.ts";
import { currentRequestScope, type ProtocolStore } from "./adapter/index.ts";
import type { AsksForFactor } from "./sufficient-sessions.ts";

/** Protocol state that a request does not wait for again, once it was away: see {@link failFastOnRecords}. */
export function failFastOnState(store: ProtocolStore): ProtocolStore {
  return {
    read: (keys) => unlessAway(() => store.read(keys)),
    change: (key, change) => unlessAway(() => store.change(key, change)),
    delete: (key) => unlessAway(() => store.delete(key)),
  };
}

/**
 * Clients, accounts and their factors that fail at once for a request to which a store failed before. The protocol looks its client up
 * anew to explain an error, which would double the time until the answer.
 */
export function failFastOnRecords<
  Records extends { readonly clients: Clients; readonly accounts: Accounts; readonly asksForFactor: AsksForFactor },
>(records: Records): Records {
  const { clients, accounts, asksForFactor } = records;
  return {
    ...records,
    clients: {
      ...clients,
      findClient: (id) => unlessAway(() => clients.findClient(id)),
      findResourceServer: (identifier) => unlessAway(() => clients.findResourceServer(identifier)),
    },
    accounts: { ...accounts, find: (id) => unlessAway(() => accounts.find(id)) },
    asksForFactor: (ctx, accountId) => unlessAway(() => asksForFactor(ctx, accountId)),
  };
}

async function unlessAway<Result>(ask: () => Promise<Result>): Promise<Result> {
  const scope = currentRequestScope();
  if (scope?.storeFailure !== undefined) throw scope.storeFailure;
  try {
    return await guardStore(ask);
  } catch (error) {
    if (scope !== undefined && isAppError(error, "STORE_UNAVAILABLE")) scope.storeFailure = error;
    throw error;
  }
}
