import { readdir, readFile } from "node:fs/promises";

/** What a server has used since it started, with all processes that it consists of. */
export interface Usage {
  /** User and system time of all threads. */
  readonly cpuMicroseconds: number;
  /** Of the largest of its processes. */
  readonly residentBytes: number;
}

/**
 * Reads from outside, in Linux's /proc, so that nothing runs in a server for the sake of being measured.
 *
 * Time is what the scheduler gave to the threads that are there, in nanoseconds; `stat` would count in hundredths of a
 * second. A thread that has ended is not counted any more: those of Node last as long as the process.
 */
export async function readUsage(processId: number): Promise<Usage> {
  const children = await readFile(`/proc/${processId}/task/${processId}/children`, "utf8");
  const ids = [processId, ...children.split(" ").filter(Boolean).map(Number)];
  const usages = await Promise.all(ids.map(readUsageOfOne));
  return {
    cpuMicroseconds: usages.reduce((sum, { cpuMicroseconds }) => sum + cpuMicroseconds, 0),
    residentBytes: Math.max(...usages.map(({ residentBytes }) => residentBytes)),
  };
}

async function readUsageOfOne(processId: number): Promise<Usage> {
  const process = `/proc/${processId}`;
  const threads = await readdir(`${process}/task`);
  const nanoseconds = await Promise.all(threads.map((thread) => readCpuNanoseconds(`${process}/task/${thread}`)));
  const [, residentKibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`${process}/status`, "utf8")) ?? [];
  if (residentKibibytes === undefined) throw new Error("a server under test has ended");
  return {
    cpuMicroseconds: nanoseconds.reduce((sum, value) => sum + value, 0) / 1_000,
    residentBytes: Number(residentKibibytes) * 1_024,
  };
}

async function readCpuNanoseconds(thread: string): Promise<number> {
  const [onCpu] = (await readFile(`${thread}/schedstat`, "utf8")).split(" ");
  return Number(onCpu);
}
