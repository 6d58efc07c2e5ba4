import { z } from "zod";
import { SIGNATURE_ALGORITHMS } from "../clients/index.ts";
import type { KeyRotation, KeySummary } from "../oidc/index.ts";
import { type Command, defineCommand } from "./command.ts";
import { layOutTable } from "./text-layout.ts";

const algorithms = z.array(z.enum(SIGNATURE_ALGORITHMS)).min(1).optional();

const listKeys = defineCommand({
  name: "keys list",
  input: z.strictObject({}),
  run: ({ signingKeys }) => signingKeys.list(),
  describe: (keys) =>
    layOutTable(["ALGORITHM", "STATE", "KEY", "CREATED", "SIGNED FROM", "UNTIL", "NEXT"], keys.map(rowOf)),
});

const NEXT_STEPS = { next: "signs from", current: "signs until", retired: "goes" } as const;

function rowOf({ algorithm, state, kid, dueAt, ...times }: KeySummary): readonly string[] {
  const { createdAt, activatedAt, retiredAt } = times;
  const step = dueAt === undefined ? "when you rotate it" : `${NEXT_STEPS[state]} ${minuteOf(dueAt)}`;
  return [algorithm, state, kid, minuteOf(createdAt), minuteOf(activatedAt), minuteOf(retiredAt), step];
}

/** In UTC. */
function minuteOf(time: Date | undefined): string {
  return time === undefined ? "-" : `${time.toISOString().slice(0, 16).replace("T", " ")}Z`;
}

const rotateKeys = defineCommand({
  name: "keys rotate",
  input: z.union([
    z.strictObject({ algorithms }),
    z.strictObject({ algorithms, emergency: z.literal(true), nextToo: z.boolean() }),
  ]),
  run: ({ signingKeys }, input) =>
    "emergency" in input ? signingKeys.replace(input) : signingKeys.rotate(input.algorithms),
  describe: (rotation) => (rotation.withdrawn.length === 0 ? describeRotation(rotation) : describeEmergency(rotation)),
});

function describeRotation({ activated, retired }: KeyRotation): string {
  const [now, before] = [activated, retired].map((kids) => kids.map((kid) => `  ${kid}`).join("\n"));
  return `These keys sign from now on:\n${now}\nThese stay published until their last token has expired:\n${before}`;
}

function describeEmergency({ withdrawn, unseen }: KeyRotation): string {
  const unseenLine =
    unseen.length === 0
      ? []
      : [
          `- ${unseen.join(", ")}: services have not had the time to see the key that signs now. They refuse its tokens
  until they look for it: within a minute, or when the caches between them and here are JWKS_CACHE_SECONDS old.`,
        ];
  return [
    `Withdrawn, and refused from now on:\n${withdrawn.map((kid) => `  ${kid}`).join("\n")}`,
    "Others sign in their place, and new ones are published as next. What that breaks:",
    `- Access tokens that the withdrawn keys signed are refused by introspection, and by services that follow the
  revocation feed. Apps get new ones by refreshing, which goes on. Services that do neither trust the withdrawn keys
  until they load the key set anew: restart those that must not wait.`,
    `- ID tokens from before are no use as id_token_hint: an app that signs people out with one gets an error page.`,
    ...unseenLine,
  ].join("\n");
}

const retireKey = defineCommand({
  name: "keys retire",
  input: z.strictObject({ kid: z.string() }),
  run: ({ signingKeys }, { kid }) => signingKeys.retire(kid),
  describe: ({ kid, state }) =>
    state === "next"
      ? `The key ${kid} was taken away before it signed anything, and another one is published as next.`
      : `The key ${kid} is not published any more, and what it signed is refused.`,
});

export const keyCommands: readonly Command[] = [listKeys, rotateKeys, retireKey];
