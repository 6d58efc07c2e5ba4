/** Lets a promise run on by itself; its failure is reported instead of being lost. */
export function background(task: Promise<unknown>, report: (error: unknown) => void): void {
  task.then(undefined, report);
}
