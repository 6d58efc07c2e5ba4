/**
 * A service in a process of its own, so that it can be stopped from running. The first line that it reads are the
 * options of its verifier; to every further line, a token, it answers with `accepted` or the code of the refusal.
 */
import { createInterface } from "node:readline";
import { createVerifier, type Verifier, VerifierError, type VerifierOptions } from "../../src/verifier/index.ts";

let verifier: Verifier | undefined;

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${await answer(line)}\n`);
}
await verifier?.close();

async function answer(line: string): Promise<string> {
  if (verifier === undefined) {
    verifier = createVerifier(JSON.parse(line) as VerifierOptions);
    await verifier.ready();
    return "ready";
  }
  try {
    await verifier.verify(line);
    return "accepted";
  } catch (error) {
    if (!(error instanceof VerifierError)) return `something else was thrown: ${String(error)}`;
    return error.code === "verifier_failed" ? `${error.code}: ${String(error.cause)}` : error.code;
  }
}
