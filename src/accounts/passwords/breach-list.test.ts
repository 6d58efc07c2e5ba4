import { createServer, type RequestListener, type Server } from "node:http";
import { createHash } from "node:crypto";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createBreachList } from "./breach-list.ts";

const PASSWORD = "plum umbrella glacier";
const DIGEST = createHash("sha1").update(PASSWORD).digest("hex").toUpperCase();
const SUFFIX = DIGEST.slice(5);
const OTHER = "0018A45C4D1DEF81644B54AB7F969B88D65";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A list on loopback that answers so, asked once. */
async function askList(answer: RequestListener, { password = PASSWORD, answerMsMax = 5_000 } = {}) {
  const asked: { path: string | undefined; padding: string | string[] | undefined; all: string }[] = [];
  const server = createServer((request, response) => {
    const { url: path, headers } = request;
    asked.push({ path, padding: headers["add-padding"], all: JSON.stringify([path, headers]) });
    answer(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const reasons: string[] = [];
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const list = createBreachList({ url, onUnavailable: (reason) => reasons.push(reason), answerMsMax });
  return { isListed: await list.contains(password), reasons, asked };
}

const answering =
  (body: string): RequestListener =>
  (_, response) =>
    response.end(body);

describe("the list of leaked passwords [ASVS 6.2.12] [SP 800-63B-4 3.1.1.2]", () => {
  test("is told five digits of the digest and nothing else, and asked for padding", async () => {
    const { isListed, reasons, asked } = await askList(answering(`${OTHER}:3\r\n${SUFFIX}:7\r\n`));
    expect({ isListed, reasons }).toEqual({ isListed: true, reasons: [] });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ path: `/range/${DIGEST.slice(0, 5)}`, padding: "true" });
    expect(asked[0]?.all.toUpperCase()).not.toContain(SUFFIX.slice(0, 6));
    expect(asked[0]?.all).not.toMatch(/plum/);
  });

  test.each([
    ["another password", `${OTHER}:3\r\n`],
    ["the password as padding", `${OTHER}:3\r\n${SUFFIX}:0\r\n`],
  ])("that has %s lets it pass", async (_, body) => {
    expect(await askList(answering(body))).toMatchObject({ isListed: false, reasons: [] });
  });

  test("finds a password however it was composed, and in either case of its digits", async () => {
    const composed = "caf\u00E9 umbrella";
    const suffix = createHash("sha1").update(composed).digest("hex").slice(5);
    const { isListed } = await askList(answering(`${suffix}:1`), { password: composed.normalize("NFD") });
    expect(isListed).toBe(true);
  });

  test.each<[what: string, reason: string, answer: RequestListener]>([
    ["is out of order", "it answered 503", (_, response) => response.writeHead(503).end(`${SUFFIX}:7`)],
    ["asks us to wait", "it answered 429", (_, response) => response.writeHead(429).end()],
    [
      "sends us elsewhere",
      "no connection",
      (_, response) => response.writeHead(302, { location: "http://127.0.0.1:9/" }).end(),
    ],
    ["answers a page", "it answered what is no list", answering("<html>Sign in to the network</html>")],
    ["answers nothing", "it answered nothing", answering("")],
    ["never stops", "it answered too much", (_, response) => void response.end(`${OTHER}:1\n`.repeat(20_000))],
    ["hangs up", "no connection", (request) => request.socket.destroy()],
  ])("that %s lets every password pass, and that is reported", async (_, reason, answer) => {
    expect(await askList(answer)).toMatchObject({ isListed: false, reasons: [reason] });
  });

  test.each<[what: string, answer: RequestListener]>([
    ["is silent", () => undefined],
    ["is silent in the midst of its answer", (_, response) => void response.write(`${OTHER}:3\r\n`)],
  ])("that %s is not waited for", async (_, answer) => {
    const { isListed, reasons } = await askList(answer, { answerMsMax: 200 });
    expect({ isListed, reasons }).toEqual({ isListed: false, reasons: ["it did not answer in time"] });
  });

  test("that is not there lets every password pass, and that is reported without its digest", async () => {
    const reasons: string[] = [];
    const list = createBreachList({ url: "http://127.0.0.1:9", onUnavailable: (reason) => reasons.push(reason) });
    expect(await list.contains(PASSWORD)).toBe(false);
    expect(reasons).toEqual(["no connection"]);
  });
});
