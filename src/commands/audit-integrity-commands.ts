import { z } from "zod";
import { exportedSchema, type Verification } from "../audit/index.ts";
import { type Command, defineCommand } from "./command.ts";

export const AUDIT_VERIFY = "audit verify";

const verify = defineCommand({
  name: AUDIT_VERIFY,
  input: z.strictObject({ checkpoint: exportedSchema.optional() }),
  run: ({ auditChain }, { checkpoint }) => auditChain.verify(checkpoint),
  describe: describeVerification,
  judge: ({ verdict }) => (verdict === "broken" ? 1 : undefined),
});

function describeVerification(verification: Verification): string {
  const { break: found, begins, proved, events, erased, waiting, checkpoint } = verification;
  const since = begins.eventsSince === undefined ? "" : `, where retention has left it (${begins.eventsSince})`;
  const lines = [
    `Checked from position ${Number(begins.position) + 1}${since}, to position ${proved.position}: ${events} events.`,
    ...(erased === 0 ? [] : [`${erased} of them are of people who were deleted, without what identified them.`]),
    ...(waiting === 0 ? [] : [`${waiting} more wait to be sealed.`]),
  ];
  if (found === undefined) return [...lines, ...describeCheckpoint(checkpoint), "The chain is whole."].join("\n");
  const where = [
    found.position === undefined ? [] : [`position ${found.position}`],
    found.eventId === undefined ? [] : [`event ${found.eventId}`],
  ].flat();
  const at = where.length === 0 ? "" : ` at ${where.join(", ")}`;
  return [...lines, `BROKEN (${found.kind})${at}: ${found.meaning}`].join("\n");
}

function describeCheckpoint(checkpoint: Verification["checkpoint"]): readonly string[] {
  if (checkpoint === undefined) return [];
  return checkpoint === "matches"
    ? ["It is the chain that the checkpoint was signed for."]
    : ["The checkpoint is of a time that is not kept any more, and could not be compared."];
}

const checkpoint = defineCommand({
  name: "audit checkpoint",
  input: z.strictObject({}),
  run: async ({ auditChain }) => {
    // Also where no server runs that would have done so.
    await auditChain.sealWaiting();
    return auditChain.exportCheckpoint();
  },
  // The same as in JSON, so that what is kept in a file can be given to `audit verify`, however it was asked for.
  describe: (exported) => JSON.stringify(exported, undefined, 2),
});

const replaceKey = defineCommand({
  name: "audit replace-key",
  input: z.strictObject({}),
  run: ({ auditChain }) => auditChain.replaceKey(),
  describe: ({ keyId, position }) =>
    [
      `The key ${keyId} signs the audit log from now on. It signed the chain as it was found, up to position ${position}.`,
      "What was changed before, only a checkpoint tells that you kept elsewhere: latchkey audit verify --checkpoint FILE",
    ].join("\n"),
});

export const auditIntegrityCommands: readonly Command[] = [verify, checkpoint, replaceKey];
