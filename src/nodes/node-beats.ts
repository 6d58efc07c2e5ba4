import { background, type Clock, joinCallers, randomToken } from "../core/index.ts";
import type { NodeReport } from "./node-report.ts";
import type { RunningNodes } from "./running-nodes.ts";

const BEAT_EVERY_MS = 5_000;

export interface NodeBeatsDeps {
  readonly nodes: Pick<RunningNodes, "note" | "forget" | "measureClock">;
  readonly clock: Clock;
  /** What there is to say, as it is now. */
  readonly describe: () => Omit<NodeReport, "clockOffsetMs">;
  /** Told when saying so begins to fail; not of every failure that follows. */
  readonly reportFailure: (error: unknown) => void;
}

/** A node's sign of life. */
export interface NodeBeats {
  start(): void;
  /** Says it now: something has changed that operators compare. */
  beatNow(): void;
  /** Says good-bye; who cannot is forgotten soon. */
  close(): Promise<void>;
}

/** Runs beside the requests and never fails them: a node that cannot say that it runs, runs all the same. */
export function createNodeBeats({ nodes, clock, describe, reportFailure }: NodeBeatsDeps): NodeBeats {
  const id = randomToken(6);
  let beating: NodeJS.Timeout | undefined;
  let isFailing = false;

  const beat = joinCallers(async () => {
    const clockOffsetMs = Math.round(await nodes.measureClock(() => clock.nowMs()));
    await nodes.note(id, { ...describe(), clockOffsetMs });
    isFailing = false;
  });

  function beatNow(): void {
    if (beating === undefined) return;
    background(beat(), (error) => {
      if (!isFailing) reportFailure(error);
      isFailing = true;
    });
  }

  return {
    start() {
      beating = setInterval(beatNow, BEAT_EVERY_MS).unref();
      beatNow();
    },
    beatNow,
    async close() {
      if (beating === undefined) return;
      clearInterval(beating);
      beating = undefined;
      await beat.settled();
      await nodes.forget(id).catch(() => undefined);
    },
  };
}
