#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that an old one gets a sentence instead of a stack trace.
import { fileURLToPath } from "node:url";

const OLDEST = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(
    `Latchkey needs Node.js ${OLDEST.join(".")} or later, and this is ${process.version}. ` +
      "In a checkout, start it through npm (npm start, npm run latchkey -- …): that uses the Node.js 24 that npm ci installed.",
  );
  process.exitCode = 1;
} else {
  const { main } = await import(fileURLToPath(new URL("../src/cli.ts", import.meta.url)));
  process.exitCode = await main(process.argv.slice(2));
}
