import { createSocket, type Socket } from "node:dgram";
import { expect, onTestFinished, test } from "vitest";
import { createNameResolution } from "./name-resolution.ts";

const RECORD_TYPES = { 1: [192, 0, 2, 7], 28: [0x20, 1, 0xd, 0xb8, ...Array.from({ length: 11 }, () => 0), 9] };

/** A DNS server on loopback; `answer` makes of a question what comes back, or nothing. */
async function startDns(answer: (question: Buffer) => Buffer | undefined) {
  const socket: Socket = createSocket("udp4");
  let questions = 0;
  socket.on("message", (question, from) => {
    questions += 1;
    const said = answer(question);
    if (said !== undefined) socket.send(said, from.port, from.address);
  });
  await new Promise<void>((resolve) => void socket.bind(0, "127.0.0.1", resolve));
  onTestFinished(() => void socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, questions: () => questions };
}

/** The question with one record of its type after it (RFC 1035, section 4.1). */
function withOneRecord(question: Buffer): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const type = question.readUInt16BE(end - 4);
  const data = type === 28 ? RECORD_TYPES[28] : RECORD_TYPES[1];
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x81_80, 2);
  header.writeUInt16BE(1, 6);
  header.writeUInt16BE(0, 10);
  const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length, ...data]);
  return Buffer.concat([header, question.subarray(12, end), record]);
}

test("DNS gives the addresses of both families", async () => {
  const dns = await startDns(withOneRecord);
  const resolve = createNameResolution({ servers: [dns.server] });
  const { signal } = new AbortController();
  expect(await resolve("shop.example.com", { isTrusted: false, signal })).toEqual([
    { address: "192.0.2.7", family: 4 },
    { address: "2001:db8::9", family: 6 },
  ]);
});

test("servers that say nothing are waited for until the deadline and no longer", async () => {
  const abort = new AbortController();
  const dns = await startDns(() => {
    abort.abort();
    return undefined;
  });
  const resolve = createNameResolution({ servers: [dns.server] });
  await expect(resolve("shop.example.com", { isTrusted: false, signal: abort.signal })).rejects.toMatchObject({
    code: "ECANCELLED",
  });
});

test("a name that the operator named is looked up as the system does, without our asking DNS", async () => {
  const dns = await startDns(withOneRecord);
  const resolve = createNameResolution({ servers: [dns.server] });
  const found = await resolve("localhost", { isTrusted: true, signal: new AbortController().signal });
  expect(found.map(({ address }) => address)).toContain("127.0.0.1");
  expect(dns.questions()).toBe(0);
});
