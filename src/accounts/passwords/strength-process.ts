/** The process that `strength-estimator.ts` starts: answers each question, in the order in which they come. */
import type { StrengthQuestion } from "./strength-estimator.ts";
import { createStrengthMeter } from "./strength-meter.ts";

const meter = createStrengthMeter();

process.on("message", ({ password, ownWords }: StrengthQuestion) => {
  process.send?.(meter.measure(password, ownWords));
});
