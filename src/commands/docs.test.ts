import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { catalogue } from "./catalogue.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/commands.md"), "utf8");

test.each([...catalogue.map(({ name }) => name), "serve", "config check", "restore", "move"])(
  "docs/commands.md explains %s",
  (name) => {
    expect(page).toMatch(new RegExp(`\`latchkey ${name}[ \`]`));
  },
);
