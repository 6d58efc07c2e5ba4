export type StopSignal = "SIGINT" | "SIGTERM";

export interface UntilSignalOptions {
  /** Whether a second signal of the same kind ends the process at once. */
  readonly secondEndsIt: boolean;
}

/** Resolves at the first signal to stop, with which it was. */
export function untilSignal({ secondEndsIt }: UntilSignalOptions): Promise<StopSignal> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      let isSecond = false;
      process.on(signal, () => {
        if (isSecond && secondEndsIt) process.exit(1);
        isSecond = true;
        resolve(signal);
      });
    }
  });
}
