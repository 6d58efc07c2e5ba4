#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that an old one gets a sentence instead of a stack trace.
import { existsSync } from "node:fs";

const OLDEST = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(
    `Latchkey needs Node.js ${OLDEST.join(".")} or later, and this is ${process.version}. ` +
      "In a checkout, start it through npm (npm start, npm run latchkey -- …): that uses the Node.js 24 that npm ci installed.",
  );
  process.exitCode = 1;
} else {
  // `npm run build` puts JavaScript beside this file; a checkout has the TypeScript, which Node runs as it is.
  const [compiled, source] = ["../src/cli.js", "../src/cli.ts"].map((path) => new URL(path, import.meta.url));
  const { main } = await import((existsSync(compiled) ? compiled : source).href);
  process.exitCode = await main(process.argv.slice(2));
}
