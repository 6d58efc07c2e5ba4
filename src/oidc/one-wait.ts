import type { Accounts } from "../accounts/index.ts";
import type { Clients } from "../clients/index.ts";
import { isAppError } from "../core/index.ts";
import { guardStore } from "../storage/index.ts";
import { currentRequestScope, type ProtocolStore } from "./adapter/index.ts";

/** Protocol state as one request uses it: see {@link waitOnceFor}. */
export function waitOnceForState(store: ProtocolStore): ProtocolStore {
  return {
    read: (keys) => unlessAway(() => store.read(keys)),
    change: (key, change) => unlessAway(() => store.change(key, change)),
    delete: (key) => unlessAway(() => store.delete(key)),
  };
}

/**
 * Clients and accounts as one request asks for them: when they could not be read once, it does not wait for them again.
 * The protocol looks its client up anew to explain an error, which would double the time until the answer.
 */
export function waitOnceFor<Records extends { readonly clients: Clients; readonly accounts: Accounts }>(
  records: Records,
): Records {
  const { clients, accounts } = records;
  return {
    ...records,
    clients: {
      ...clients,
      findClient: (id) => unlessAway(() => clients.findClient(id)),
      findResourceServer: (identifier) => unlessAway(() => clients.findResourceServer(identifier)),
    },
    accounts: { ...accounts, find: (id) => unlessAway(() => accounts.find(id)) },
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
