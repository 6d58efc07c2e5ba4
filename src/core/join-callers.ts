/**
 * One run at a time for all who ask. Who asks while one is under way gets the next: it may have looked before he asked,
 * and what he needs to know of came in between.
 */
export function joinCallers(run: () => Promise<void>) {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  function begin(): Promise<void> {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  }

  function ask(): Promise<void> {
    if (running === undefined) return begin();
    next ??= running
      .then(undefined, () => undefined)
      .then(() => {
        next = undefined;
        return begin();
      });
    return next;
  }

  return Object.assign(ask, {
    /** The run that is under way, or a new one: for who can do with what was so a moment ago. */
    join: begin,
    /** Resolves when nothing runs any more. */
    async settled() {
      await Promise.allSettled([running, next]);
    },
  });
}
