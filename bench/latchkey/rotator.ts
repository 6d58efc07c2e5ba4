import { loadConfig } from "../../src/config/index.ts";
import { createLogger } from "../../src/observability/index.ts";
import { openServices } from "../../src/services.ts";

/**
 * The program of a process that rotates a deployment's keys whenever it is told to, and says when that is done. What it
 * spends is then neither the server's nor the load generator's. Its environment has the deployment's settings.
 */
const services = await openServices(loadConfig(), { logger: createLogger({ level: "silent" }) });
process.on("message", () => {
  void services.signingKeys.rotate().then(() => process.send?.("rotated"));
});
process.once("disconnect", () => void services.close());
process.send?.("ready");
