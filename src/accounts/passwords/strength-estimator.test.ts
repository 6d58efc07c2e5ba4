import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createStrengthEstimator } from "./strength-estimator.ts";

vi.setConfig({ testTimeout: 60_000 });

const question = { password: "plum umbrella glacier", ownWords: [] };

/** A process that answers each question by what the text says. */
async function scriptOf(answer: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-strength-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const script = join(folder, "process.mjs");
  await writeFile(script, `let asked = 0;\nprocess.on("message", ({ password }) => {\n${answer}\n});`);
  return script;
}

const COUNTS = "process.send({ level: ++asked, weaknesses: [] });";

describe("the estimator", () => {
  test("answers from a process of its own, several who ask at once each their own", async () => {
    const estimator = createStrengthEstimator();
    await estimator.estimate(question);
    const levels = await Promise.all(
      ["plum umbrella glacier", "passwort123456", "mynameisalice", "aaaaaaaaaaaaaa"].map(async (password) => {
        return (await estimator.estimate({ password, ownWords: ["alice"] })).level;
      }),
    );
    expect(levels).toEqual([4, 1, 1, 0]);
  });

  test("a hostile password of 1,024 bytes is answered, and holds up nobody here [ASVS 2.4.1]", async () => {
    const estimator = createStrengthEstimator();
    await estimator.estimate(question);
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 1);
    const hostile = "4@8({[<369&#!1/|0$5+7%2".repeat(45).slice(0, 1_024);
    const ownWords = Array.from({ length: 50 }, () => hostile);
    expect(await estimator.estimate({ password: hostile, ownWords })).toBeDefined();
    clearInterval(turning);
    expect(turns).toBeGreaterThan(1);
  });

  test("gives the process nothing of our environment [ASVS 13.3.1]", async () => {
    vi.stubEnv("LATCHKEY_SECRET", "of this process");
    const script = await scriptOf("process.send({ level: Object.keys(process.env).length, weaknesses: [] });");
    const { level } = await createStrengthEstimator({ script }).estimate(question);
    vi.unstubAllEnvs();
    // The channel's own two.
    expect(level).toBeLessThanOrEqual(2);
  });

  test("what takes too long is stopped and answered with HASHING_BUSY; the next one gets a new process", async () => {
    const script = await scriptOf(`while (password === "stuck"); ${COUNTS}`);
    const estimator = createStrengthEstimator({ answerMsMax: 3_000, script });
    await expect(estimator.estimate({ password: "stuck", ownWords: [] })).rejects.toMatchObject({
      code: "HASHING_BUSY",
      retryAfterSeconds: 5,
    });
    expect(await estimator.estimate(question)).toEqual({ level: 1, weaknesses: [] });
  });

  test("a process that dies refuses the one who waits, at once, and the next one is served", async () => {
    const script = await scriptOf(`if (password === "die") process.exit(1); ${COUNTS}`);
    const estimator = createStrengthEstimator({ answerMsMax: 50_000, script });
    await expect(estimator.estimate({ password: "die", ownWords: [] })).rejects.toMatchObject({ code: "HASHING_BUSY" });
    expect(await estimator.estimate(question)).toEqual({ level: 1, weaknesses: [] });
  });

  test("the process stays while passwords are chosen, and goes when nobody chooses one", async () => {
    const estimator = createStrengthEstimator({ idleMsMax: 300, script: await scriptOf(COUNTS) });
    const levelOfNext = async (): Promise<number> => (await estimator.estimate(question)).level;
    expect([await levelOfNext(), await levelOfNext()]).toEqual([1, 2]);
    await expect.poll(levelOfNext, { interval: 600, timeout: 20_000 }).toBe(1);
  });

  test("refuses at once when too many wait", async () => {
    const estimator = createStrengthEstimator({ script: await scriptOf(COUNTS) });
    const asked = await Promise.allSettled(Array.from({ length: 34 }, () => estimator.estimate(question)));
    expect(asked.filter(({ status }) => status === "rejected")).toHaveLength(1);
  });
});
