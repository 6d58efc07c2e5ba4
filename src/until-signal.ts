export type StopSignal = "SIGINT" | "SIGTERM";

/** Resolves at the first signal to stop, with which it was. A second one of its kind ends the process at once. */
export function untilSignal(): Promise<StopSignal> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        resolve(signal);
        process.once(signal, () => process.exit(1));
      });
    }
  });
}
