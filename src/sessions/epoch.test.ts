import { expect, test } from "vitest";
import { compareStore, type KnownStore, type StoreMark } from "./epoch.ts";

const known: KnownStore = { epoch: 3, begunForRun: undefined, beat: 40 };
const mark: StoreMark = { epoch: 3, beat: 40 };

test.each<[string, KnownStore, StoreMark | undefined, ReturnType<typeof compareStore>]>([
  ["the mark that we left", known, mark, "same"],
  ["a mark that was written and not yet counted here", known, { ...mark, beat: 41 }, "same"],
  ["a mark one beat behind, as a replica's can be", known, { ...mark, beat: 39 }, "same"],
  ["a mark two beats behind", known, { ...mark, beat: 38 }, "restored"],
  ["a mark two beats ahead: Postgres is the one that came back", known, { ...mark, beat: 42 }, "restored"],
  ["a mark of an epoch before", known, { ...mark, epoch: 2 }, "restored"],
  ["a mark of an epoch that is yet to come", known, { ...mark, epoch: 4 }, "restored"],
  ["no mark", known, undefined, "lost"],
  ["no mark where there never was a store", { ...known, epoch: 0, beat: 0 }, undefined, "first"],
  ["a mark where there never was a store", { ...known, epoch: 0, beat: 0 }, mark, "restored"],
  ["the run that the epoch was begun for", { ...known, begunForRun: "here" }, undefined, "begun"],
  ["the same with the mark written", { ...known, begunForRun: "here" }, mark, "begun"],
  ["another run after that", { ...known, begunForRun: "before" }, undefined, "lost"],
  ["another run after that, which has the mark", { ...known, begunForRun: "before" }, mark, "restored"],
])("%s", (_, store, found, standing) => {
  expect(compareStore(store, { mark: found, runId: "here" })).toBe(standing);
});
