import { hash } from "node:crypto";

/** Of the SHA-1 in hexadecimal: as much as leaves us. Some thousand of the leaked passwords share it. */
const PREFIX_CHARACTERS = 5;
const ANSWER_MS_MAX = 2_000;
/** An answer has some 40 KB, padding included. */
const ANSWER_BYTES_MAX = 512 * 1024;
const LINE = /^([0-9A-F]{35}):(\d{1,10})$/i;

export interface BreachList {
  /** Whether the password is in data that leaked somewhere. `false` when the list cannot be asked, which is reported. */
  contains(password: string): Promise<boolean>;
}

export interface BreachListDependencies {
  /** Of a server that answers like that of Have I Been Pwned, without the `/range/` below it. */
  readonly url: string;
  /** Told, without anything of the password, that one was accepted unseen. */
  readonly onUnavailable: (reason: string) => void;
  readonly answerMsMax?: number | undefined;
}

/**
 * Asks Have I Been Pwned, or a mirror of it, by k-anonymity: five digits of the password's digest leave us, and what
 * comes back is compared here. Padding keeps the size of the answer from telling somebody on the line which it was.
 *
 * The one check that fails open: it is somebody else's server, and people are to be able to change their passwords
 * while that is away.
 */
export function createBreachList(deps: BreachListDependencies): BreachList {
  const { url, onUnavailable, answerMsMax = ANSWER_MS_MAX } = deps;
  const base = url.replace(/\/+$/, "");
  return {
    async contains(password) {
      const digest = hash("sha1", password.normalize("NFC"), "hex").toUpperCase();
      try {
        const counts = await fetchCounts(`${base}/range/${digest.slice(0, PREFIX_CHARACTERS)}`, answerMsMax);
        // Padding has counts of 0.
        return (counts.get(digest.slice(PREFIX_CHARACTERS)) ?? 0) > 0;
      } catch (error) {
        onUnavailable(reasonOf(error));
        return false;
      }
    },
  };
}

/** What the list cannot be used for. Its text goes to the log. */
class UnusableAnswerError extends Error {}

/** How often each password leaked, by what follows the prefix. */
async function fetchCounts(url: string, answerMsMax: number): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(url, {
    headers: { "add-padding": "true", "user-agent": "Latchkey" },
    redirect: "error",
    signal: AbortSignal.timeout(answerMsMax),
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new UnusableAnswerError(`it answered ${response.status}`);
  }
  const lines = (await readText(response.body)).split(/\r?\n/).filter((line) => line !== "");
  const counts = new Map<string, number>();
  for (const line of lines) {
    const [, suffix = "", count = ""] = LINE.exec(line) ?? [];
    if (suffix === "") throw new UnusableAnswerError("it answered what is no list");
    counts.set(suffix.toUpperCase(), Number(count));
  }
  if (counts.size === 0) throw new UnusableAnswerError("it answered nothing");
  return counts;
}

async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  for await (const chunk of body) {
    byteCount += chunk.byteLength;
    if (byteCount > ANSWER_BYTES_MAX) throw new UnusableAnswerError("it answered too much");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("latin1");
}

/** Without the address, which names a part of the digest. */
function reasonOf(error: unknown): string {
  if (error instanceof UnusableAnswerError) return error.message;
  return error instanceof Error && error.name === "TimeoutError" ? "it did not answer in time" : "no connection";
}
