/** Does something with what is open, and closes it whatever comes of that. */
export async function closing<Result>(opened: { close(): Promise<void> }, use: () => Promise<Result>): Promise<Result> {
  try {
    return await use();
  } finally {
    await opened.close();
  }
}
