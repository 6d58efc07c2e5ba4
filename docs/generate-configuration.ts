import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultOf, type Setting, SETTINGS } from "../src/config/index.ts";

/** Where the page lives; a test compares it with {@link configurationPage}. */
export const CONFIGURATION_PAGE = join(import.meta.dirname, "configuration.md");

const OPENING = `# Configuration

<!-- Written by \`node docs/generate-configuration.ts\` from src/config/settings.ts. Change the table there. -->

Every setting has a default that is right for trying Latchkey out: \`npm start\` needs none. A deployment sets
\`DATABASE_URL\`, \`ISSUER\` and \`LATCHKEY_SECRET\`, and should set \`REDIS_URL\`.

Settings come from the environment, or from the YAML file that \`CONFIG_FILE\` names (keys as below, one value each);
what the environment says wins. A setting marked *secret* can also come from a file: \`LATCHKEY_SECRET_FILE\` names one
that holds the value of \`LATCHKEY_SECRET\`, which is how containers hand secrets over.

Settings are read once, at the start. Missing, weak and misspelt ones stop it, all named at once, each with an example.
\`latchkey config check\` does the same without starting, and shows what is in force.

Clients and resource servers are not settings: they live in the database, and are managed by
[commands](commands.md) or a declarative file.
`;

/** The whole page, from the table of settings. */
export function configurationPage(): string {
  const sections = Object.entries<Setting>(SETTINGS).map(([key, setting]) => describeSetting(key, setting));
  return [OPENING, ...sections].join("\n");
}

function describeSetting(key: string, setting: Setting): string {
  const secret = setting.isSecret === true ? " *Secret:* may come from a file instead." : "";
  const byDefault = defaultOf(setting);
  const standard = byDefault === undefined ? "Not set by default." : `Default: \`${byDefault}\`.`;
  return `## ${key}\n\n${setting.description}${secret}\n\n${standard} Example: \`${key}=${setting.example}\`\n`;
}

if (import.meta.main) writeFileSync(CONFIGURATION_PAGE, configurationPage());
