import { z } from "zod";
import type { WebhookSummary } from "../webhooks/index.ts";
import { type Command, defineCommand } from "./command.ts";
import { layOutTable } from "./text-layout.ts";

const idOnly = z.strictObject({ id: z.string() });

function describeSecret(secret: string): string {
  return `\nIts secret, which is shown only now:\n  ${secret}\n`;
}

const addWebhook = defineCommand({
  name: "webhook add",
  input: z.strictObject({ id: z.string(), url: z.string(), kinds: z.array(z.string()).optional() }),
  run: ({ webhooks }, webhook) => webhooks.add(webhook),
  describe: ({ id, secret }) =>
    `Webhook ${id} was added, and is told of what happens from now on.\n${describeSecret(secret)}`,
});

const listWebhooks = defineCommand({
  name: "webhook list",
  input: z.strictObject({}),
  run: ({ webhooks }) => webhooks.list(),
  describe: (list) =>
    list.length === 0
      ? "There are no webhooks. Add one with: latchkey webhook add"
      : layOutTable(["ID", "URL", "EVENTS", "STATE", "LAST TAKEN", "WAITING"], list.map(rowOf)),
});

function rowOf({ id, url, kinds, disabledReason, lastSuccessAt, waiting }: WebhookSummary): readonly string[] {
  const state = disabledReason === undefined ? "enabled" : `disabled (${STATES[disabledReason]})`;
  const lastTaken =
    lastSuccessAt === undefined ? "-" : `${lastSuccessAt.toISOString().slice(0, 16).replace("T", " ")}Z`;
  return [id, url, kinds?.join(", ") ?? "all", state, lastTaken, String(waiting)];
}

const STATES = { operator: "by command", gone: "answered 410", failing: "took nothing for three days" } as const;

const removeWebhook = defineCommand({
  name: "webhook remove",
  input: idOnly,
  async run({ webhooks }, { id }) {
    await webhooks.remove(id);
    return { id };
  },
  describe: ({ id }) => `Webhook ${id} was removed, with what it had not been told yet.`,
});

const rotateSecret = defineCommand({
  name: "webhook rotate",
  input: z.strictObject({ id: z.string(), keepOldForSeconds: z.number() }),
  async run({ webhooks }, { id, keepOldForSeconds }) {
    return { id, ...(await webhooks.rotate(id, keepOldForSeconds)), keepOldForSeconds };
  },
  describe({ id, secret, keepOldForSeconds }) {
    const old = keepOldForSeconds === 0 ? "signs no more" : `signs as well for ${keepOldForSeconds} seconds more`;
    return `Webhook ${id} has a new secret; the old one ${old}.\n${describeSecret(secret)}`;
  },
});

const enableWebhook = defineCommand({
  name: "webhook enable",
  input: idOnly,
  async run({ webhooks }, { id }) {
    await webhooks.enable(id);
    return { id };
  },
  describe: ({ id }) => `Webhook ${id} is enabled, and goes on where it ended.`,
});

const disableWebhook = defineCommand({
  name: "webhook disable",
  input: idOnly,
  async run({ webhooks }, { id }) {
    await webhooks.disable(id);
    return { id };
  },
  describe: ({ id }) => `Webhook ${id} is disabled. What happens meanwhile is told when it is enabled again.`,
});

const testWebhook = defineCommand({
  name: "webhook test",
  input: idOnly,
  async run({ webhooks }, { id }) {
    const result = await webhooks.test(id);
    const isTaken = result.type === "answered" && result.status >= 200 && result.status < 300;
    return { id, isTaken, ...result };
  },
  describe(result) {
    if (result.type === "answered") {
      return `Webhook ${result.id} answered ${result.status}: ${result.isTaken ? "it took the message" : "an event would be tried again"}.`;
    }
    return `Webhook ${result.id} could not be reached: ${TROUBLE[result.reason]}.`;
  },
  judge: ({ isTaken }) => (isTaken ? undefined : 1),
});

const TROUBLE = {
  uri: "its URL leads where it must not (OUTBOUND_ALLOWED_NETWORKS)",
  address: "its name leads inside, and OUTBOUND_ALLOWED_NETWORKS does not have it",
  timeout: "it did not answer in time",
  stopped: "this server is stopping",
  name: "nobody knows its name",
  connection: "no connection, or no certificate that we trust",
} as const;

export const webhookCommands: readonly Command[] = [
  addWebhook,
  listWebhooks,
  removeWebhook,
  rotateSecret,
  enableWebhook,
  disableWebhook,
  testWebhook,
];
