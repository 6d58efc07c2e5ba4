import { describe, expect, test, vi } from "vitest";
import { createStrengthEstimator } from "./strength-estimator.ts";

/** A thread that does what the text says. */
const threadOf = (source: string): URL =>
  new URL(`data:text/javascript,${encodeURIComponent(`import { parentPort } from "node:worker_threads";\n${source}`)}`);

const ANSWERS = `let asked = 0;
  parentPort.on("message", () => parentPort.postMessage({ level: ++asked, weaknesses: [] }));`;
vi.setConfig({ testTimeout: 60_000 });

const question = { password: "plum umbrella glacier", ownWords: [] };

describe("the estimator", () => {
  test("answers from a thread, several who ask at once each their own", async () => {
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
    expect(
      await estimator.estimate({ password: hostile, ownWords: Array.from({ length: 50 }, () => hostile) }),
    ).toBeDefined();
    clearInterval(turning);
    expect(turns).toBeGreaterThan(1);
  });

  test("what takes too long is stopped and answered with HASHING_BUSY; the next one gets a new thread", async () => {
    const stuck = `parentPort.on("message", ({ password }) => { while (password === "stuck"); parentPort.postMessage({ level: 4, weaknesses: [] }); });`;
    const estimator = createStrengthEstimator({ answerMsMax: 500, workerUrl: threadOf(stuck) });
    await expect(estimator.estimate({ password: "stuck", ownWords: [] })).rejects.toMatchObject({
      code: "HASHING_BUSY",
      retryAfterSeconds: 5,
    });
    expect(await estimator.estimate(question)).toEqual({ level: 4, weaknesses: [] });
  });

  test("a thread that dies refuses the one who waits, without what was asked, and the next one is served", async () => {
    const dies = `parentPort.on("message", ({ password }) => { if (password === "die") throw new Error(password); parentPort.postMessage({ level: 4, weaknesses: [] }); });`;
    const estimator = createStrengthEstimator({ workerUrl: threadOf(dies) });
    await expect(estimator.estimate({ password: "die", ownWords: [] })).rejects.toMatchObject({ code: "HASHING_BUSY" });
    expect(await estimator.estimate(question)).toEqual({ level: 4, weaknesses: [] });
  });

  test("the thread stays while passwords are chosen, and goes when nobody chooses one", async () => {
    const estimator = createStrengthEstimator({ idleMsMax: 200, workerUrl: threadOf(ANSWERS) });
    const levelOfNext = async (): Promise<number> => (await estimator.estimate(question)).level;
    expect([await levelOfNext(), await levelOfNext()]).toEqual([1, 2]);
    await expect.poll(levelOfNext, { interval: 400, timeout: 10_000 }).toBe(1);
  });

  test("refuses at once when too many wait", async () => {
    const estimator = createStrengthEstimator({ workerUrl: threadOf(ANSWERS) });
    const asked = await Promise.allSettled(Array.from({ length: 34 }, () => estimator.estimate(question)));
    expect(asked.filter(({ status }) => status === "rejected")).toHaveLength(1);
  });
});
