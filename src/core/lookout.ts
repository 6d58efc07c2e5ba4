/** Looks for work that waits somewhere: now, whenever it is woken, and from time to time. */
export interface Lookout {
  /** Looks now, and from then on at the interval. */
  start(): void;
  /** Looks now: somebody says that there is work. */
  wake(): void;
  /** Looks no more; resolves when a look that was under way is over. */
  close(): Promise<void>;
}

export interface LookoutOptions {
  readonly look: () => Promise<void>;
  readonly everyMs: number;
  /** Told of a look that failed: once, not of every one after it, because what is away may be away for long. */
  readonly reportFailure: (error: unknown) => void;
}

/** One look at a time. Who wakes it meanwhile is sure of another look after that. */
export function createLookout({ look, everyMs, reportFailure }: LookoutOptions): Lookout {
  let isClosed = false;
  let shouldLook = false;
  let looking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isFailing = false;

  /** Whoever wakes us while we look may have come too late for this look. */
  async function lookUntilQuiet(): Promise<void> {
    do {
      shouldLook = false;
      if (!isClosed) await look();
      isFailing = false;
    } while (shouldLook);
  }

  function noteFailure(error: unknown): void {
    if (!isFailing) reportFailure(error);
    isFailing = true;
  }

  function wake(): void {
    shouldLook = true;
    if (isClosed || looking !== undefined) return;
    looking = lookUntilQuiet()
      .catch(noteFailure)
      .finally(() => {
        looking = undefined;
        // Somebody woke us after the last look, and before we said that we had stopped looking.
        if (shouldLook) wake();
      });
  }

  return {
    wake,
    start() {
      timer ??= setInterval(wake, everyMs).unref();
      wake();
    },
    async close() {
      isClosed = true;
      clearInterval(timer);
      await looking;
    },
  };
}
