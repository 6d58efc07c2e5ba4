import { once } from "node:events";
import { createServer } from "node:net";
import type { Config } from "./config/index.ts";
import { createMetricsServer, gatherWorkerMetrics, type MetricsServer } from "./metrics/index.ts";
import { createLogger, type Logger } from "./observability/index.ts";
import { reasonNotToListen, reasonNotToStart, StartError } from "./start-errors.ts";
import { untilSignal } from "./until-signal.ts";
import { superviseWorkers } from "./workers/index.ts";

export interface SuperviseOptions {
  readonly workers: number;
  /** Applied by the first worker, before any of them takes requests. */
  readonly applyFile?: string | undefined;
}

/**
 * Runs the server as several processes behind one port, until it is told to stop (SIGTERM, SIGINT); resolves with the
 * exit code. What they count is answered here, added up.
 */
export async function supervise(config: Config, { workers, applyFile }: SuperviseOptions): Promise<number> {
  const logger = createLogger({ level: config.logLevel, sharesOutput: true });
  const stop = untilSignal({ secondEndsIt: true });
  let metricsServer: MetricsServer | undefined;
  try {
    if (config.mode === "embedded") throw new StartError(EMBEDDED);
    await refusePortInUse(config);
    metricsServer = await startMetricsServer(config, logger);
    const shared = ["serve", "--workers", String(workers)];
    return await superviseWorkers({
      count: workers,
      firstArguments: applyFile === undefined ? shared : [...shared, "--apply", applyFile],
      otherArguments: shared,
      stop,
      onReady: () => console.log(`Latchkey is ready at ${config.issuer}, with ${workers} workers.`),
      onLost: (lost) => logger.error(lost, "a worker ended, and another takes its place"),
    });
  } catch (error) {
    console.error(reasonNotToStart(error));
    return 1;
  } finally {
    await metricsServer?.close();
  }
}

const EMBEDDED =
  "More than one worker needs a database that several processes can use: set DATABASE_URL, or leave --workers out.";

/** Workers share their port with whoever else is willing to share it: another deployment's workers, for one. */
async function refusePortInUse(config: Config): Promise<void> {
  const { host, port } = config.listen;
  const probe = createServer().listen(port, host);
  try {
    await once(probe, "listening");
  } catch (error) {
    throw reasonNotToListen(error, config);
  }
  probe.close();
  await once(probe, "close");
}

async function startMetricsServer(config: Config, logger: Logger): Promise<MetricsServer | undefined> {
  if (config.metrics === undefined) return undefined;
  const reportFailure = (error: unknown): void => logger.error({ cause: String(error) }, "could not tell the metrics");
  const metrics = await gatherWorkerMetrics();
  const server = createMetricsServer({ metrics, listen: config.metrics, reportFailure });
  try {
    await server.listen();
    return server;
  } catch (error) {
    throw reasonNotToListen(error, config);
  }
}
