import { z } from "zod";
import type { Client, ClientSettings } from "../clients/index.ts";
import { type Command, defineCommand } from "./command.ts";
import { layOutFields, layOutTable } from "./text-layout.ts";

// `clients` parses settings itself and names every fault; here only the shape of the envelope is checked.
const clientSettings = z.custom<ClientSettings>((value) => typeof value === "object" && value !== null);
const idOnly = z.strictObject({ id: z.string() });

/** A client as commands show it: how many secrets it has, and nothing about them. */
function presentClient(client: Client) {
  const { id, name, secretHashes, ...settings } = client;
  return { id, name, activeSecrets: secretHashes.length, ...settings };
}

export function describeSecret(secret: string | undefined): string {
  if (secret === undefined) return "";
  return `\nIts secret, which is shown only now:\n  ${secret}\n`;
}

const addClient = defineCommand({
  name: "client add",
  input: clientSettings,
  async run({ clients }, input) {
    const { client, secret } = await clients.addClient(input);
    return { client: presentClient(client), ...(secret === undefined ? {} : { secret }) };
  },
  describe: ({ client, secret }) => `Client ${client.id} was added.\n${describeSecret(secret)}`,
});

const listClients = defineCommand({
  name: "client list",
  input: z.strictObject({}),
  run: async ({ clients }) => (await clients.listClients()).map(presentClient),
  describe: (clients) =>
    clients.length === 0
      ? "There are no clients yet. Add one with: latchkey client add"
      : layOutTable(
          ["ID", "NAME", "AUTHENTICATION", "GRANT TYPES"],
          clients.map(({ id, name, authMethod, grantTypes }) => [id, name, authMethod, grantTypes.join(", ")]),
        ),
});

const showClient = defineCommand({
  name: "client show",
  input: idOnly,
  run: async ({ clients }, { id }) => presentClient(await clients.getClient(id)),
  describe: layOutFields,
});

const rotateSecret = defineCommand({
  name: "client rotate-secret",
  input: z.union([
    z.strictObject({ id: z.string(), keepOldForSeconds: z.number() }),
    z.strictObject({ id: z.string(), revoke: z.literal(true) }),
  ]),
  async run({ clients }, { id, ...rotation }) {
    const { secret } = await clients.rotateSecret(id, "revoke" in rotation ? "revoke" : rotation);
    return { id, secret, ...rotation };
  },
  describe({ id, secret, ...rotation }) {
    const old =
      "revoke" in rotation
        ? "is revoked, with all that was granted until now and every token"
        : rotation.keepOldForSeconds === 0
          ? "no longer works"
          : `works for ${rotation.keepOldForSeconds} seconds more`;
    return `Client ${id} has a new secret; the old one ${old}.\n${describeSecret(secret)}`;
  },
});

const removeClient = defineCommand({
  name: "client remove",
  input: idOnly,
  async run({ clients }, { id }) {
    await clients.removeClient(id);
    return { id };
  },
  describe: ({ id }) => `Client ${id} was removed.`,
});

export const clientCommands: readonly Command[] = [addClient, listClients, showClient, rotateSecret, removeClient];
