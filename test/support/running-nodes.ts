import { vi } from "vitest";
import type { TestLatchkey } from "./latchkey.ts";

/** Resolves when as many nodes have said that they run. */
export async function untilNodesRun({ nodes }: Pick<TestLatchkey, "nodes">, count: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const running = await nodes.list();
      if (running.length !== count) throw new Error(`${running.length} nodes run instead of ${count}`);
    },
    { timeout: 10_000, interval: 50 },
  );
}
