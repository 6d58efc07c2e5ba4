import { expect, test } from "vitest";
import { textOf } from "../../test/support/html.ts";
import { AUDIT_EVENTS, type AuditEventType, type StoredAuditEvent } from "../audit/index.ts";
import { createTranslator } from "../http/messages.ts";
import { catalogues } from "../http/index.ts";
import { eventInWords, TOLD_EVENT_TYPES, UNTOLD_EVENTS } from "./activity-words.ts";
import { alice, DAY_MS, get, NOW_MS } from "../../test/support/account-pages.ts";

let count = 0;

function event(type: AuditEventType, changes: Partial<StoredAuditEvent> = {}): StoredAuditEvent {
  count += 1;
  const facts = { actor: "person", outcome: "succeeded" } as const;
  const about = { occurredAt: new Date(NOW_MS), accountId: alice.id, data: {} };
  return { id: String(count), type, ...facts, ...about, ...changes };
}

test.each(Object.keys(catalogues))("every event that people are told of has words in %s", (locale) => {
  const translator = createTranslator(locale, catalogues[locale] ?? catalogues.en);
  for (const type of TOLD_EVENT_TYPES) {
    const words = eventInWords(event(type), "Shop");
    expect(translator.text(words?.title ?? "verbatim")).not.toMatch(/[{}]|_/);
  }
});

test("people are told of every event of the catalogue, or it says why not", () => {
  const untold = Object.entries(UNTOLD_EVENTS);
  expect([...TOLD_EVENT_TYPES, ...untold.map(([type]) => type)].toSorted()).toEqual(
    Object.keys(AUDIT_EVENTS).toSorted(),
  );
  for (const [, reason] of untold) expect(reason).toMatch(/^[A-Z].*\.$/);
  expect(eventInWords(event("client_changed"), "")).toBeUndefined();
});

test.each([
  ["signed_out", "Signed out"],
  ["ended_by_person", "Device signed out by you"],
  ["password_changed", "because the password was changed"],
  ["limit", "because there were too many"],
  ["replaced", "somebody else signed in"],
  ["ended_by_operator", "by whoever runs this site"],
])("a session that ended as %s says %j", async (reason, words) => {
  const { body } = await get("/account/activity", { events: [event("session_ended", { data: { reason } })] });
  expect(textOf(body)).toContain(words);
});

test("days stand under their names, with device, address and time", async () => {
  const events = [
    event("session_started", { clientId: "shopWeb", sessionId: "session-2", address: "198.51.100.7" }),
    event("account_registered", { occurredAt: new Date(NOW_MS - DAY_MS) }),
    event("profile_changed", { occurredAt: new Date(NOW_MS - 2 * DAY_MS), address: "192.0.2.1" }),
  ];
  const text = textOf((await get("/account/activity", { events })).body);
  expect(text).toContain("Today Signed in to Shop Safari on iPhone · 198.51.100.7 12:00");
  expect(text).toContain("Yesterday Account created 12:00");
  expect(text).toContain("Saturday 21 November Name or language changed 192.0.2.1 12:00");
});

test("the same trouble in a row is one entry; of another address or day it is another", async () => {
  const wrong = (address: string, atMs = NOW_MS) =>
    event("sign_in_failed", { address, occurredAt: new Date(atMs), data: { reason: "wrong_password" } });
  const here = [wrong("192.0.2.1"), wrong("192.0.2.1"), wrong("192.0.2.1")];
  const events = [...here, wrong("192.0.2.2"), wrong("192.0.2.2", NOW_MS - DAY_MS)];
  const text = textOf((await get("/account/activity", { events })).body);
  expect(text.match(/Wrong password/g)).toHaveLength(3);
  expect(text).toContain("Wrong password 3 times Nobody got in. 192.0.2.1");
});

test("asks for 90 days of what it has words for, from where the page begins", async () => {
  const since = new Date(NOW_MS - 90 * DAY_MS);
  const filter = { accountId: alice.id, types: TOLD_EVENT_TYPES, since, limit: 41 };
  expect((await get("/account/activity?before=77")).calls).toEqual([["list events", { ...filter, before: "77" }]]);
  for (const before of ["x", "-1", "1%00", "1&before=2"]) {
    expect((await get(`/account/activity?before=${before}`)).calls).toEqual([["list events", filter]]);
  }
});

test("a page of 40 has no older ones, and one of 41 leads to them", async () => {
  const many = (length: number) => Array.from({ length }, () => event("profile_changed"));
  expect((await get("/account/activity", { events: many(40) })).body).not.toContain("Show older");
  const events = many(41);
  const { body } = await get("/account/activity", { events });
  expect(body).toContain(`href="/account/activity?before=${events[39]?.id}"`);
  expect(body.match(/<time /g)).toHaveLength(40);
});
