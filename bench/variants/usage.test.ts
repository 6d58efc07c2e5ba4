import { expect, test } from "vitest";
import { readUsage } from "./usage.ts";

test("what a process has used is what it would say itself", async () => {
  const before = await readUsage(process.pid);
  const ownBefore = process.cpuUsage();
  let own = 0;
  while (own < 200_000) {
    const { user, system } = process.cpuUsage(ownBefore);
    own = user + system;
  }
  const after = await readUsage(process.pid);
  const measured = after.cpuMicroseconds - before.cpuMicroseconds;
  expect(measured / own).toBeGreaterThan(0.8);
  expect(measured / own).toBeLessThan(1.5);
  expect(after.residentBytes / process.memoryUsage.rss()).toBeGreaterThan(0.8);
  expect(after.residentBytes / process.memoryUsage.rss()).toBeLessThan(1.2);
});
