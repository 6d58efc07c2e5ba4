import { z } from "zod";
import { AppError } from "../core/index.ts";
import type { EndResult, SessionSummary } from "../sessions/index.ts";
import { getAccount } from "./account-lookup.ts";
import { type Command, defineCommand, type Services } from "./command.ts";
import { layOutTable } from "./text-layout.ts";

const listSessions = defineCommand({
  name: "session list",
  input: z.strictObject({ idOrEmail: z.string() }),
  run: async ({ accounts, sessions }, { idOrEmail }) => sessions.list((await getAccount(accounts, idOrEmail)).id),
  describe: (sessions) =>
    sessions.length === 0
      ? "The person is not signed in anywhere."
      : layOutTable(["SESSION", "BEGAN", "LAST USED", "DEVICE", "ADDRESS", "APPS"], sessions.map(rowOf)),
});

function rowOf({ id, createdAt, lastUsedAt, device, address, clientIds }: SessionSummary): readonly string[] {
  return [id, minuteOf(createdAt), minuteOf(lastUsedAt), device ?? "-", address ?? "-", clientIds.join(", ") || "-"];
}

/** In UTC; what came through the socket is text already. */
function minuteOf(time: Date): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")}Z`;
}

const endSession = defineCommand({
  name: "session end",
  input: z.strictObject({ idOrEmail: z.string(), sessionId: z.string().optional() }),
  async run({ accounts, sessions }, { idOrEmail, sessionId }) {
    const { id } = await getAccount(accounts, idOrEmail);
    const result =
      sessionId === undefined
        ? await sessions.endAll(id, "ended_by_operator")
        : await sessions.end(id, sessionId, "ended_by_operator");
    return { accountId: id, ...result };
  },
  describe: (result) => describeEnding(result),
});

const target = z.discriminatedUnion("of", [
  z.strictObject({ of: z.literal("account"), idOrEmail: z.string() }),
  z.strictObject({ of: z.literal("client"), id: z.string() }),
  z.strictObject({ of: z.literal("token"), token: z.string() }),
  z.strictObject({ of: z.literal("everybody") }),
]);

type Target = z.infer<typeof target>;

async function revokeTarget({ accounts, clients, sessions, protocol }: Services, given: Target) {
  if (given.of === "account") {
    const { id: accountId } = await getAccount(accounts, given.idOrEmail);
    return { of: given.of, accountId, ...(await sessions.endAll(accountId, "revoked_by_operator")) };
  }
  if (given.of === "client") {
    await clients.revokeGrants(given.id);
    return { of: given.of, clientId: given.id };
  }
  if (given.of === "token") {
    const revoked = await protocol.revokeToken(given.token);
    if (revoked === undefined) throw new AppError("TOKEN_UNKNOWN");
    return { of: given.of, ...revoked };
  }
  return { of: given.of, ...(await sessions.endEverybodys("revoked_by_operator")) };
}

function describeRevoked(result: Awaited<ReturnType<typeof revokeTarget>>): string {
  if (result.of === "client") return `What was granted to ${result.clientId} until now is revoked, and its tokens.`;
  if (result.of === "token") {
    const rest = result.kind === "refresh_token" ? ", with everything that hung on the same grant." : ".";
    return `The token is revoked${rest}`;
  }
  const whose = result.of === "account" ? "The person's tokens are revoked." : "Every token is revoked.";
  return `${whose} ${describeEnding(result)}`;
}

const revoke = defineCommand({ name: "revoke", input: target, run: revokeTarget, describe: describeRevoked });

function describeEnding({ endedIds, isComplete }: EndResult): string {
  const count = endedIds.length === 1 ? "1 session has ended" : `${endedIds.length} sessions have ended`;
  const rest = "Redis does not answer; the servers drop what lies there as soon as it does.";
  return isComplete ? `${count}.` : `${count}. ${rest}`;
}

export const sessionCommands: readonly Command[] = [listSessions, endSession, revoke];
