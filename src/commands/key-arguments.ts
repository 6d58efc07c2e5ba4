import { type CommandLine, collectValue, JSON_OPTION } from "./options.ts";
import { UsageError } from "./usage-error.ts";

interface JsonOption {
  readonly json?: true;
}

interface RotateOptions extends JsonOption {
  readonly algorithm?: readonly string[];
  readonly emergency?: true;
  readonly nextToo?: true;
}

const ROTATE_EXAMPLES = `
Keys rotate by themselves (KEY_ROTATION_SECONDS); docs/key-rotation.md has the whole story.

  latchkey keys rotate                             every algorithm, as the schedule would
  latchkey keys rotate --emergency                 a current key got out: refuse it, and what it signed, at once
  latchkey keys rotate --emergency --next-too      the database and LATCHKEY_SECRET got out, and with them all keys
`;

export function addKeyArguments({ program, chooseCommand }: CommandLine): void {
  const group = program.command("keys").description("keys that sign tokens");

  group
    .command("list")
    .description("list all keys, and what happens to each next")
    .option(...JSON_OPTION)
    .action((options: JsonOption) => chooseCommand({ command: "keys list", input: {} }, options));

  group
    .command("rotate")
    .description("make the next keys sign now; refused while services may not know them")
    .option("--algorithm <name>", "only this algorithm's key; may be repeated", collectValue)
    .option("--emergency", "withdraw the current keys: what they signed is refused everywhere")
    .option("--next-too", "with --emergency: the next keys got out as well")
    .option(...JSON_OPTION)
    .addHelpText("after", ROTATE_EXAMPLES)
    .action((options: RotateOptions) => {
      if (options.nextToo === true && options.emergency !== true) throw new UsageError("Say --emergency as well.");
      const algorithms = options.algorithm;
      const emergency = options.emergency === true ? { emergency: true, nextToo: options.nextToo === true } : {};
      chooseCommand({ command: "keys rotate", input: { algorithms, ...emergency } }, options);
    });

  group
    .command("retire")
    .argument("<key>", "the key's id, as keys list shows it")
    .description("take away a key that is next or retired, and refuse what it signed")
    .option(...JSON_OPTION)
    .action((kid: string, options: JsonOption) => chooseCommand({ command: "keys retire", input: { kid } }, options));
}
