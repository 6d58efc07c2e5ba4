import { afterEach, describe, expect, test, vi } from "vitest";
import { createHashingQueue } from "./hashing-queue.ts";

const LIMITS = { concurrencyMax: 2, waitingMax: 3, waitMaxMs: 1_000 };

/** Tasks that end when they are told to, the one that started first before the others. */
function createTasks() {
  const finishers: (() => void)[] = [];
  const started: number[] = [];
  return {
    started,
    finishNext: () => finishers.shift()?.(),
    task: (id: number) => () => {
      started.push(id);
      return new Promise<number>((resolve) => finishers.push(() => resolve(id)));
    },
  };
}

afterEach(() => {
  vi.useRealTimers();
});

describe("the hashing queue", () => {
  test("runs no more than its limit at once, first come, first served", async () => {
    const queue = createHashingQueue(LIMITS);
    const { task, started, finishNext } = createTasks();
    const results = [1, 2, 3, 4, 5].map((id) => queue.run(task(id)));
    for (const running of [
      [1, 2],
      [1, 2, 3],
      [1, 2, 3, 4],
      [1, 2, 3, 4, 5],
    ]) {
      await vi.waitFor(() => expect(started).toEqual(running));
      finishNext();
    }
    finishNext();
    expect(await Promise.all(results)).toEqual([1, 2, 3, 4, 5]);
  });

  test("answers HASHING_BUSY at once when as many wait as may, and takes one more when one is served", async () => {
    const queue = createHashingQueue(LIMITS);
    const { task, started, finishNext } = createTasks();
    const accepted = [1, 2, 3, 4, 5].map((id) => queue.run(task(id)));
    await expect(queue.run(task(6))).rejects.toMatchObject({ code: "HASHING_BUSY", retryAfterSeconds: 5 });
    finishNext();
    await vi.waitFor(() => expect(started).toEqual([1, 2, 3]));
    accepted.push(queue.run(task(7)));
    for (const count of [3, 4, 5, 6, 6]) {
      await vi.waitFor(() => expect(started.length).toBeGreaterThanOrEqual(count));
      finishNext();
    }
    expect(await Promise.all(accepted)).toEqual([1, 2, 3, 4, 5, 7]);
  });

  test("answers HASHING_BUSY when the turn does not come in time, and never runs that task", async () => {
    vi.useFakeTimers();
    const queue = createHashingQueue({ ...LIMITS, concurrencyMax: 1 });
    const { task, started, finishNext } = createTasks();
    const first = queue.run(task(1));
    const late = queue.run(task(2)).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(LIMITS.waitMaxMs);
    expect(await late).toMatchObject({ code: "HASHING_BUSY" });
    finishNext();
    await first;
    expect(await queue.run(() => Promise.resolve("next"))).toBe("next");
    expect(started).toEqual([1]);
  });

  test("says how many run, how many wait and how many it has refused", async () => {
    const queue = createHashingQueue(LIMITS);
    const { task, finishNext } = createTasks();
    expect(queue.load()).toEqual({ running: 0, waiting: 0, refused: 0 });
    const results = [1, 2, 3].map((id) => queue.run(task(id)));
    expect(queue.load()).toEqual({ running: 2, waiting: 1, refused: 0 });
    results.push(queue.run(task(4)), queue.run(task(5)));
    await expect(queue.run(task(6))).rejects.toMatchObject({ code: "HASHING_BUSY" });
    expect(queue.load()).toEqual({ running: 2, waiting: 3, refused: 1 });
    for (const result of results) {
      await vi.waitFor(() => expect(queue.load().running).toBeGreaterThan(0));
      finishNext();
      await result;
    }
    expect(queue.load()).toEqual({ running: 0, waiting: 0, refused: 1 });
  });

  test("passes the turn on when a task fails", async () => {
    const queue = createHashingQueue({ ...LIMITS, concurrencyMax: 1 });
    const failed = queue.run(() => Promise.reject(new Error("out of memory")));
    const next = queue.run(() => Promise.resolve("done"));
    await expect(failed).rejects.toThrow("out of memory");
    expect(await next).toBe("done");
  });
});
