import { execFile } from "node:child_process";
import { expect, test } from "vitest";

/** Packages that a process has loaded once telemetry was opened with these settings, and how much was made of it. */
async function packagesLoadedWith(settings: { readonly metrics?: object; readonly traces?: object }) {
  const program = `
    import { registerHooks } from "node:module";
    const loaded = new Set();
    registerHooks({ load(url, context, next) { loaded.add(url); return next(url, context); } });
    await import(${JSON.stringify(new URL("compose.ts", import.meta.url).href)});
    const { openTelemetry } = await import(${JSON.stringify(new URL("telemetry.ts", import.meta.url).href)});
    const telemetry = await openTelemetry(${JSON.stringify(settings)});
    const packages = [...loaded].flatMap((url) => /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? []);
    const watched = [telemetry.stores, telemetry.protocol, telemetry.metrics, telemetry.tracing.middleware];
    await telemetry.close();
    console.log(JSON.stringify({ packages: [...new Set(packages)], observers: watched.filter(Boolean).length }));
  `;
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ["--input-type=module", "-e", program], (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
  });
  return JSON.parse(output) as { readonly packages: readonly string[]; readonly observers: number };
}

const isWatching = (name: string): boolean => name === "prom-client" || name.startsWith("@opentelemetry/");

const STARTS_MS_MAX = 60_000;

test(
  "a server that is not watched loads nothing for it, and tells nobody anything",
  async () => {
    const { packages, observers } = await packagesLoadedWith({});
    expect(packages).toContain("koa");
    expect(packages.filter(isWatching)).toEqual([]);
    expect(observers).toBe(0);
  },
  STARTS_MS_MAX,
);

test(
  "OpenTelemetry is loaded where there is a collector, and only there",
  async () => {
    const traces = { url: "http://127.0.0.1:9/v1/traces", headers: {}, serviceName: "latchkey", samplingRatio: 1 };
    expect((await packagesLoadedWith({ traces })).packages).toContain("@opentelemetry/sdk-trace");
    const { packages } = await packagesLoadedWith({ metrics: { host: "127.0.0.1", port: 9464 } });
    expect(packages).toContain("prom-client");
    expect(packages).not.toContain("@opentelemetry/sdk-trace");
  },
  STARTS_MS_MAX,
);
