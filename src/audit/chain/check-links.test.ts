import { randomBytes, randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { checkLinks, type LinkRules, type StoredLink } from "./check-links.ts";
import { type ChainedEvent, digestEvent, digestPersonal, hashLink } from "./digests.ts";

const START = { position: 0n, hash: Buffer.alloc(0) };
const NO_RULES: LinkRules = { eventsSince: undefined, signed: new Map() };
const LENGTH = 30;
const ROUNDS = 30;
const SINCE = 1_700_000_000_000_000n;

function makeEvent(number: number): ChainedEvent {
  const isPersonal = randomInt(2) === 1;
  return {
    id: String(number),
    occurredAt: String(SINCE + BigInt(number)),
    type: "session_started",
    actor: "person",
    accountId: randomInt(2) === 1 ? randomBytes(4).toString("hex") : null,
    clientId: randomInt(2) === 1 ? "shop" : null,
    sessionId: null,
    requestId: randomBytes(4).toString("hex"),
    data: '{"a": 1}',
    address: isPersonal ? "192.0.2.1" : null,
    device: isPersonal && randomInt(2) === 1 ? "Firefox on Linux" : null,
    personalSalt: isPersonal ? randomBytes(16).toString("hex") : null,
  };
}

/** Events come in another order than their numbers, as they do where transactions take their time. */
function makeChain(): StoredLink[] {
  let hash: Uint8Array = START.hash;
  return Array.from({ length: LENGTH }, (_, at) => {
    const event = makeEvent(at % 2 === 0 ? at + 2 : at);
    const personal = digestPersonal(event);
    const [position, sealedAt, digest] = [BigInt(at + 1), String(SINCE + BigInt(at)), digestEvent(event, personal)];
    hash = hashLink(hash, { position, sealedAt, digest });
    const { id: eventId, occurredAt } = event;
    const place = { position: String(position), sealedAt, eventId, occurredAt };
    return { ...place, personalDigest: personal ?? null, digest, hash, event };
  });
}

const withEvent = (link: StoredLink, event: ChainedEvent | undefined): StoredLink => ({ ...link, event });
const erase = (event: ChainedEvent): ChainedEvent => ({ ...event, address: null, device: null, personalSalt: null });

test("a chain that nobody touched is whole, also where people were erased, and in parts of any length", () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const chain = makeChain().map((link) =>
      randomInt(3) === 0 ? withEvent(link, link.event && erase(link.event)) : link,
    );
    const cut = randomInt(LENGTH + 1);
    const first = checkLinks(START, chain.slice(0, cut), NO_RULES);
    const second = checkLinks(first.proved, chain.slice(cut), NO_RULES);
    expect([first.found, second.found]).toEqual([undefined, undefined]);
    expect(second.proved.position).toBe(BigInt(LENGTH));
    const erased = chain.filter(({ event, personalDigest }) => personalDigest !== null && event?.personalSalt === null);
    expect(first.erased.length + second.erased.length).toBe(erased.length);
  }
});

/** Changes one place in some way; a list without it is a place that was removed. */
const TAMPERINGS: Readonly<Record<string, (link: StoredLink) => readonly StoredLink[]>> = {
  "one field of the event": (link) => {
    const fields = [
      "id",
      "occurredAt",
      "type",
      "actor",
      "accountId",
      "clientId",
      "sessionId",
      "requestId",
      "data",
    ] as const;
    const field = fields[randomInt(fields.length)] ?? "id";
    const event = link.event && { ...link.event, [field]: `${link.event[field] ?? ""}1` };
    return [{ ...link, event }];
  },
  "a field that moves into the next": (link) => {
    const { event } = link;
    return [
      { ...link, event: event && { ...event, clientId: `${event.clientId ?? ""}${event.requestId}`, requestId: null } },
    ];
  },
  "where it came from": (link) => [{ ...link, event: link.event && { ...link.event, address: "203.0.113.1" } }],
  "the event itself": (link) => [{ ...link, event: undefined }],
  "its digest": (link) => [{ ...link, digest: randomBytes(32) }],
  "its hash": (link) => [{ ...link, hash: randomBytes(32) }],
  "its time": (link) => [{ ...link, sealedAt: String(BigInt(link.sealedAt) + 1n) }],
  "the digest of what was personal": (link) => [
    { ...link, personalDigest: randomBytes(32), event: link.event && erase(link.event) },
  ],
  "its place": () => [],
};

test.each(Object.entries(TAMPERINGS))("what is done to %s is found where it was done", (_what, tamper) => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const chain = makeChain();
    // The last that is missing leaves no trace here; that is for the head to find.
    const at = randomInt(LENGTH - 1);
    const tampered = chain.flatMap((link, index) => (index === at ? tamper(link) : [link]));
    const { found, proved } = checkLinks(START, tampered, NO_RULES);
    expect(found?.position).toBe(String(at + 1));
    expect(proved.position).toBe(BigInt(at));
  }
});

test("places that were exchanged are found at the first of them", () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const chain = makeChain();
    const [first, second] = [randomInt(LENGTH / 2), LENGTH / 2 + randomInt(LENGTH / 2)];
    const [one, other] = [chain[first], chain[second]];
    if (one === undefined || other === undefined) throw new Error("there is no such place");
    chain[first] = { ...other, position: one.position };
    chain[second] = { ...one, position: other.position };
    expect(checkLinks(START, chain, NO_RULES).found).toMatchObject({ kind: "reordered", position: String(first + 1) });
  }
});

test("an event that retention took is missed only where it is younger than what was to go", () => {
  const chain = makeChain().map((link, at) => (at === 3 ? withEvent(link, undefined) : link));
  const eventsSince = BigInt(chain[3]?.occurredAt ?? 0);
  expect(checkLinks(START, chain, { ...NO_RULES, eventsSince })).toMatchObject({ found: { kind: "removed" } });
  expect(checkLinks(START, chain, { ...NO_RULES, eventsSince: eventsSince + 1n })).toMatchObject({
    found: undefined,
    expired: 1,
    events: LENGTH - 1,
  });
});

test("a chain that is whole and is another than the one that was signed is found at the signature", () => {
  const signed = new Map([["7", randomBytes(32).toString("hex")]]);
  const { found, proved } = checkLinks(START, makeChain(), { ...NO_RULES, signed });
  expect(found).toMatchObject({ kind: "rewritten", position: "7" });
  expect(proved.position).toBe(6n);
});
