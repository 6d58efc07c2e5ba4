import { describe, expect, onTestFinished, test, vi } from "vitest";
import { freePort, startRedis, startSentinel } from "../../test/support/servers.ts";
import { isStoreFailure } from "./failures.ts";
import { connectRedis, openRedis, parseSentinelUrl } from "./redis.ts";

const noteNothing = (): void => undefined;
const WITHIN = { timeout: 15_000, interval: 100 };

describe("a Sentinel URL", () => {
  test("names sentinels, master, database and credentials", () => {
    expect(parseSentinelUrl("redis+sentinel://latch:p%40ss@one:26380,two/primary/3")).toEqual({
      sentinels: [
        { host: "one", port: 26_380 },
        { host: "two", port: 26_379 },
      ],
      name: "primary",
      db: 3,
      username: "latch",
      password: "p@ss",
    });
  });

  test("needs only a host and a master", () => {
    const options = { sentinels: [{ host: "10.0.0.1", port: 26_379 }], name: "primary", db: 0 };
    expect(parseSentinelUrl("redis+sentinel://10.0.0.1/primary")).toEqual(options);
    expect(parseSentinelUrl("redis+sentinel://:secret@10.0.0.1/primary")).toEqual({ ...options, password: "secret" });
  });

  test("with rediss encrypts the way to the sentinels too", () => {
    expect(parseSentinelUrl("rediss+sentinel://one/primary")).toMatchObject({
      tls: {},
      enableTLSForSentinelMode: true,
    });
    expect(parseSentinelUrl("redis+sentinel://one/primary")).not.toHaveProperty("tls");
  });

  test.each([
    "redis+sentinel://one",
    "redis+sentinel://one/",
    "redis+sentinel:///primary",
    "redis+sentinel://one/primary/x",
    "redis://one/primary",
    "",
  ])("such as %j is refused, without being repeated", (url) => {
    expect(() => parseSentinelUrl(url)).toThrow(
      "INPUT_INVALID: REDIS_URL is not redis+sentinel://host:port,host:port/master",
    );
  });
});

describe("connecting to Redis", () => {
  test("fails within a second when nothing listens, and later commands fail at once", async () => {
    const redis = openRedis({ url: `redis://127.0.0.1:${await freePort()}`, onConnectionError: noteNothing });
    onTestFinished(() => redis.disconnect());
    const begun = performance.now();
    await expect(connectRedis(redis)).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      detail: expect.stringContaining("REDIS_URL"),
    });
    const failure = await redis.get("key").catch((error: unknown) => error);
    expect(isStoreFailure(failure)).toBe(true);
    expect(performance.now() - begun).toBeLessThan(1_500);
  });

  test("through a Sentinel finds the primary, and the one that takes its place", async () => {
    const primary = await startRedis();
    onTestFinished(() => primary.stop());
    const replica = await startRedis(["--replicaof", "127.0.0.1", String(primary.port)]);
    onTestFinished(() => replica.stop());
    const direct = openRedis({ url: replica.url, onConnectionError: noteNothing });
    onTestFinished(() => direct.disconnect());
    await direct.connect();
    await vi.waitFor(async () => expect(await direct.info("replication")).toMatch(/master_link_status:up/), WITHIN);
    const sentinel = await startSentinel(primary);
    onTestFinished(() => sentinel.stop());

    const redis = openRedis({ url: sentinel.url, onConnectionError: noteNothing });
    onTestFinished(() => redis.disconnect());
    await connectRedis(redis);
    await redis.set("before", "kept");
    await vi.waitFor(async () => expect(await direct.get("before")).toBe("kept"), WITHIN);
    await primary.stop();
    await vi.waitFor(async () => expect(await redis.set("after", "written")).toBe("OK"), WITHIN);
    expect(await direct.mget("before", "after")).toEqual(["kept", "written"]);
  }, 30_000);

  test("is refused by us when Redis may evict, with the remedy", async () => {
    const server = await startRedis(["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"]);
    onTestFinished(() => server.stop());
    const redis = openRedis({ url: server.url, onConnectionError: noteNothing });
    onTestFinished(() => redis.disconnect());
    await expect(connectRedis(redis)).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      detail: expect.stringMatching(/allkeys-lru.*CONFIG SET maxmemory-policy noeviction/),
    });
  });

  test("works when Redis never evicts, and a hung Redis is given up after its deadline", async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const redis = openRedis({ url: server.url, onConnectionError: noteNothing });
    onTestFinished(() => redis.disconnect());
    await connectRedis(redis);
    expect(await redis.ping()).toBe("PONG");
    const begun = performance.now();
    const failure = await redis.blpop("nothing ever comes", 10).catch((error: unknown) => error);
    expect(isStoreFailure(failure)).toBe(true);
    expect(performance.now() - begun).toBeLessThan(1_500);
  });
});
