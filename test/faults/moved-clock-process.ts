/**
 * Loaded by a node before anything else (`NODE_OPTIONS`): its clock is ahead, or behind, by `CLOCK_AHEAD_MS`; from SIGUSR2
 * on by `CLOCK_STEPS_TO_MS`, and with the next one as before. The monotonic clock goes on, as it does where a machine's is set.
 */
const RealDate = Date;
const [before, after] = [Number(process.env["CLOCK_AHEAD_MS"] ?? 0), Number(process.env["CLOCK_STEPS_TO_MS"] ?? 0)];
let aheadMs = before;
process.on("SIGUSR2", () => {
  aheadMs = aheadMs === before ? after : before;
});

globalThis.Date = new Proxy(RealDate, {
  construct: (target, parameters: []) =>
    parameters.length === 0 ? new target(target.now() + aheadMs) : new target(...parameters),
  get(target, property) {
    if (property === "now") return () => target.now() + aheadMs;
    return Reflect.get(target, property) as unknown;
  },
});
