#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that an old one gets a sentence instead of a stack trace.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";

const OLDEST = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(
    `Latchkey needs Node.js ${OLDEST.join(".")} or later, and this is ${process.version}. ` +
      "In a checkout, start it through npm (npm start, npm run latchkey -- …): that uses the Node.js 24 that npm ci installed.",
  );
  process.exitCode = 1;
} else {
  keepHeapSmall(process.argv.slice(2));
  fitThreadPool();
  // `npm run build` puts JavaScript beside this file; a checkout has the TypeScript, which Node runs as it is.
  const programs = ["../src/bundle/cli.js", "../src/cli.ts"].map((path) => new URL(path, import.meta.url));
  const { main } = await import(programs.find((program) => existsSync(program)).href);
  process.exitCode = await main(process.argv.slice(2));
}

/**
 * Signing and hashing share Node's thread pool, which takes its size from here when it is first used. With more threads than
 * cores (Node's own four on a small machine) a burst of signatures keeps the main thread from running, and the cores wait
 * for it afterwards; with fewer, hashing leaves no thread to sign with.
 */
function fitThreadPool() {
  process.env["UV_THREADPOOL_SIZE"] ??= String(Math.max(2, availableParallelism()));
}

/**
 * `user import` reads as many people as there are, and Node would give their garbage room: with a heap that cannot grow,
 * memory stays where it is. The process begins anew with that; where it cannot (Windows), it takes some 100 MB more.
 */
function keepHeapSmall([group, command]) {
  const flags = ["--max-semi-space-size=1", "--max-old-space-size=96"];
  const isSmall = flags.every((flag) => process.execArgv.includes(flag));
  if (group !== "user" || command !== "import" || isSmall || typeof process.execve !== "function") return;
  if (process.platform === "win32") return;
  process.execve(
    process.execPath,
    [process.execPath, ...process.execArgv, ...flags, ...process.argv.slice(1)],
    process.env,
  );
}
