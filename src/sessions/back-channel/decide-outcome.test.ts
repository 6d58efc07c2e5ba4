import { describe, expect, test } from "vitest";
import { decideOutcome } from "./decide-outcome.ts";
import { pauseAfter, RETRY_WINDOW_SECONDS, TRIES_MAX } from "./retry-schedule.ts";

const fresh = { tries: 1, secondsLeft: RETRY_WINDOW_SECONDS };
const answered = (status: number) => ({ type: "answered", status }) as const;

describe("after a try [OIDC Back-Channel Logout 2.8]", () => {
  test.each([200, 204])("%d: the client did it", (status) => {
    expect(decideOutcome(answered(status), fresh)).toEqual({ type: "delivered" });
  });

  test("400: the client understood and refused, and is not asked again", () => {
    expect(decideOutcome(answered(400), fresh)).toEqual({ type: "rejected", reason: "status_400" });
  });

  test.each([201, 302, 307, 401, 404, 410, 429, 500, 503])("%d: it is asked again", (status) => {
    expect(decideOutcome(answered(status), fresh)).toEqual({
      type: "tryAgain",
      pauseSeconds: 5,
      reason: `status_${status}`,
    });
  });

  test.each([
    [{ type: "failed", reason: "timeout" } as const, "failed_timeout"],
    [{ type: "refused", reason: "address" } as const, "refused_address"],
    [{ type: "unprepared" } as const, "unprepared"],
  ])("%o: it is asked again", (result, reason) => {
    expect(decideOutcome(result, fresh)).toMatchObject({ type: "tryAgain", reason });
  });

  test("a client that does not want to be told any more is done with", () => {
    expect(decideOutcome({ type: "unwanted" }, fresh)).toEqual({ type: "delivered" });
  });

  test("the last try is the last", () => {
    expect(decideOutcome(answered(503), { ...fresh, tries: TRIES_MAX - 1 })).toMatchObject({ type: "tryAgain" });
    expect(decideOutcome(answered(503), { ...fresh, tries: TRIES_MAX })).toEqual({
      type: "givenUp",
      reason: "status_503",
    });
  });

  test("a try that would come after the end is not made", () => {
    expect(decideOutcome(answered(503), { tries: 1, secondsLeft: 6 })).toMatchObject({ type: "tryAgain" });
    expect(decideOutcome(answered(503), { tries: 1, secondsLeft: 5 })).toMatchObject({ type: "givenUp" });
  });
});

test("pauses grow, and all of them together are within the window", () => {
  const pauses = Array.from({ length: TRIES_MAX - 1 }, (_, at) => pauseAfter(at + 1) ?? Number.NaN);
  expect(pauses).toEqual(pauses.toSorted((one, other) => one - other));
  const all = pauses.reduce((sum, pause) => sum + pause, 0);
  expect(all).toBeLessThan(RETRY_WINDOW_SECONDS);
  expect(all).toBeGreaterThan(RETRY_WINDOW_SECONDS * 0.9);
  expect(pauseAfter(TRIES_MAX)).toBeUndefined();
});
