/** The thread that `strength-estimator.ts` starts: answers each question, in the order in which they come. */
import { parentPort } from "node:worker_threads";
import type { StrengthQuestion } from "./strength-estimator.ts";
import { createStrengthMeter } from "./strength-meter.ts";

const meter = createStrengthMeter();

parentPort?.on("message", ({ password, ownWords }: StrengthQuestion) => {
  parentPort?.postMessage(meter.measure(password, ownWords), []);
});
