import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { loadConfig, SETTINGS } from "../../src/config/index.ts";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** What the server takes at the most from being told to stop, `SHUTDOWN_DELAY_SECONDS` included (src/server.ts). */
const STOP_SECONDS = 25;

const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const deployment = z.object({
  spec: z.object({
    strategy: z.object({ rollingUpdate: z.object({ maxUnavailable: z.literal(0), maxSurge: z.number().min(1) }) }),
    template: z.object({
      spec: z.object({
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.object({ runAsNonRoot: z.literal(true) }),
        containers: z.tuple([
          z.object({
            image: z.string(),
            env: z.array(z.object({ name: z.string(), value: z.string() })),
            ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
            startupProbe: probe,
            readinessProbe: probe,
            livenessProbe: probe,
            securityContext: z.object({
              allowPrivilegeEscalation: z.literal(false),
              readOnlyRootFilesystem: z.literal(true),
            }),
          }),
        ]),
      }),
    }),
  }),
});
const configMap = z.object({ data: z.record(z.string(), z.string()) });
const compose = z.object({
  services: z.object({
    latchkey: z.object({
      image: z.string(),
      stop_grace_period: z.string().regex(/^\d+s$/),
      environment: z.record(z.string(), z.string()),
    }),
  }),
});

const { version } = z.object({ version: z.string() }).parse(JSON.parse(read("package.json")));

/** A setting, or the file of one that is a secret. */
const settingOf = (key: string): string => (key.endsWith("_FILE") ? key.slice(0, -"_FILE".length) : key);

describe("the manifests for Kubernetes", () => {
  const documents = parseAllDocuments(read("docs/operations/kubernetes/latchkey.yaml")).map((document): unknown =>
    document.toJS(),
  );
  const find = (kind: string): unknown =>
    documents.find((document) => z.object({ kind: z.string() }).parse(document).kind === kind);
  const { template } = deployment.parse(find("Deployment")).spec;
  const [container] = template.spec.containers;
  const { data } = configMap.parse(find("ConfigMap"));

  test("set what there is to set, and a server starts with it", () => {
    const secrets = container.env.map(({ name }) => settingOf(name));
    expect(secrets.filter((key) => !(key in SETTINGS))).toEqual([]);
    const config = loadConfig({
      ...data,
      HOST: "0.0.0.0",
      DATABASE_URL: "postgres://latchkey@db.example.com/latchkey",
      REDIS_URL: "redis://redis.example.com",
      MAIL_URL: "smtps://mail.example.com",
      LATCHKEY_SECRET: "Xk3vR8mQ2tB7nL5wZ9cF1hJ6pD4sG0yA",
    });
    const ports = Object.fromEntries(container.ports.map(({ name, containerPort }) => [name, containerPort]));
    expect(ports).toEqual({ http: config.listen.port, metrics: config.metrics?.port });
  });

  test("leave a server the time to answer what is under way", () => {
    expect(template.spec.terminationGracePeriodSeconds).toBeGreaterThan(STOP_SECONDS);
  });

  test("restart a process that does not answer, and not one whose database is away", () => {
    expect(container.startupProbe.httpGet).toEqual({ path: "/health/live", port: "http" });
    expect(container.livenessProbe.httpGet).toEqual({ path: "/health/live", port: "http" });
    expect(container.readinessProbe.httpGet).toEqual({ path: "/health/ready", port: "http" });
  });

  test("are of this version", () => {
    expect(container.image.endsWith(`/latchkey:${version}`)).toBe(true);
  });
});

describe("compose.yaml", () => {
  const { latchkey } = compose.parse(parse(read("compose.yaml"))).services;

  test("sets what there is to set", () => {
    expect(Object.keys(latchkey.environment).filter((key) => !(settingOf(key) in SETTINGS))).toEqual([]);
  });

  test("leaves a server the time to answer what is under way, and is of this version", () => {
    expect(Number.parseInt(latchkey.stop_grace_period, 10)).toBeGreaterThan(STOP_SECONDS);
    expect(latchkey.image).toBe(`latchkey:${version}`);
  });
});
