import { expect, test } from "vitest";
import { z } from "zod";
import { fieldMessage, FORM_BYTES_MAX, readForm } from "./form.ts";
import { askApp, type TestRequest } from "./test-server.ts";
import { createTestToolkit } from "./test-toolkit.ts";

const schema = z.object({
  email: z.string(fieldMessage("field.email.invalid")).min(3, fieldMessage("field.email.invalid")),
  password: z.string(fieldMessage("field.password.missing")).min(1, fieldMessage("field.password.missing")),
});

async function post(body: string, sent: TestRequest = {}) {
  const { around } = createTestToolkit();
  const readBack = async (ctx: Parameters<typeof readForm>[0]): Promise<void> => {
    ctx.body = await readForm(ctx, schema);
  };
  const headers = { accept: "text/html, application/json", ...sent.headers };
  return askApp([...around, readBack], { method: "POST", ...sent, headers, body });
}

const form = async (body: string) => JSON.parse((await post(body)).body) as unknown;

test("a good form gives typed values without unknown fields", async () => {
  expect(await form("email=a%40b&password=x+y&admin=1")).toMatchObject({
    kind: "valid",
    values: { email: "a@b", password: "x y" },
  });
});

test("a faulty form names one sentence a field and keeps what was typed", async () => {
  expect(await form("email=a")).toMatchObject({
    kind: "faulty",
    errors: [
      { field: "email", message: { key: "field.email.invalid" } },
      { field: "password", message: { key: "field.password.missing" } },
    ],
    typed: { email: "a" },
  });
});

test("an empty body is a form without fields", async () => {
  expect(await form("")).toMatchObject({ kind: "faulty", typed: {} });
});

test("a field that is sent twice is refused", async () => {
  expect(await post("email=a%40b&email=c%40d&password=x")).toMatchObject({ status: 400 });
});

test("a form with more fields than any page has is refused", async () => {
  const body = Array.from({ length: 51 }, (_, field) => `f${field}=1`).join("&");
  expect(await post(body)).toMatchObject({ status: 400 });
});

test("a field named __proto__ is a field like any other", async () => {
  expect(await form("__proto__=x&email=a%40b&password=y")).toMatchObject({ kind: "valid" });
});

test("a body of exactly 64 KiB is read", async () => {
  const body = `email=a%40b&password=${"x".repeat(FORM_BYTES_MAX)}`.slice(0, FORM_BYTES_MAX);
  expect(await post(body)).toMatchObject({ status: 200 });
});

test("a body one byte larger gets a 413 page", async () => {
  const answer = await post(`email=${"x".repeat(FORM_BYTES_MAX - 5)}`);
  expect(answer.status).toBe(413);
  expect(answer.body).toContain("That was too much");
});

test("a body of unknown length is cut off at 64 KiB and still gets its page", async () => {
  const answer = await post(`email=${"x".repeat(1024 * 1024)}`, { headers: { "transfer-encoding": "chunked" } });
  expect(answer.status).toBe(413);
});

test.each(["application/json", "multipart/form-data; boundary=x", "text/plain"])(
  "a body of %s is refused",
  async (type) => {
    expect(await post("email=a", { headers: { "content-type": type } })).toMatchObject({ status: 400 });
  },
);

test("a compressed body is refused", async () => {
  expect(await post("email=a", { headers: { "content-encoding": "gzip" } })).toMatchObject({ status: 400 });
});
