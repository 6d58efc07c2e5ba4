import { z } from "zod";
import type { ResourceServerSettings } from "../clients/index.ts";
import { type Command, defineCommand } from "./command.ts";
import { layOutTable } from "./text-layout.ts";

const resourceServerSettings = z.custom<ResourceServerSettings>((value) => typeof value === "object" && value !== null);

const addResource = defineCommand({
  name: "resource add",
  input: resourceServerSettings,
  run: ({ clients }, input) => clients.addResourceServer(input),
  describe: ({ identifier }) => `Resource server ${identifier} was added.`,
});

const listResources = defineCommand({
  name: "resource list",
  input: z.strictObject({}),
  run: ({ clients }) => clients.listResourceServers(),
  describe: (resourceServers) =>
    resourceServers.length === 0
      ? "There are no resource servers yet. Add one with: latchkey resource add"
      : layOutTable(
          ["IDENTIFIER", "NAME", "ACCESS TOKENS", "SCOPES"],
          resourceServers.map(({ identifier, name, accessTokenFormat, accessTokenSeconds, scopes }) => [
            identifier,
            name,
            `${accessTokenFormat}, ${accessTokenSeconds} s`,
            scopes.map((scope) => scope.name).join(" "),
          ]),
        ),
});

const removeResource = defineCommand({
  name: "resource remove",
  input: z.strictObject({ identifier: z.string() }),
  async run({ clients }, { identifier }) {
    await clients.removeResourceServer(identifier);
    return { identifier };
  },
  describe: ({ identifier }) => `Resource server ${identifier} was removed.`,
});

export const resourceCommands: readonly Command[] = [addResource, listResources, removeResource];
