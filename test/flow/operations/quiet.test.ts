import { Writable } from "node:stream";
import { afterEach, expect, test, vi } from "vitest";
import { createLogger } from "../../../src/observability/index.ts";
import { walkThrough } from "../../support/walk-through.ts";
import { createWorld, type World } from "../../support/world.ts";

let world: World | undefined;
afterEach(() => world?.close());

test("a whole flow prints no warning and leaves no secret, token, code, address or name in the log [ASVS 16.2.5]", async () => {
  const spies = [
    vi.spyOn(console, "info"),
    vi.spyOn(console, "log"),
    vi.spyOn(console, "warn"),
    vi.spyOn(console, "error"),
    vi.spyOn(process, "emitWarning"),
  ];
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString("utf8"));
      done();
    },
  });
  world = await createWorld({ stores: "redis", logger: createLogger({ level: "debug", destination }) });
  const secrets = await walkThrough(world);
  for (const spy of spies) expect(spy.mock.calls).toEqual([]);

  const log = lines.join("");
  expect(secrets.length).toBeGreaterThan(30);
  expect(lines.length).toBeGreaterThan(50);
  for (const secret of secrets) {
    for (const spelling of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")]) {
      expect(log.includes(spelling), `the log holds ${spelling.slice(0, 12)}…`).toBe(false);
    }
  }
  expect(log).not.toMatch(/"level":"error"/);
});
