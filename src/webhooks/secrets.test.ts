import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createSecret, signatureHeaders, spellSecret } from "./secrets.ts";

test("what docs/audit.md shows verifies what we sign, and nothing that was changed or is old", async () => {
  const page = await readFile(join(import.meta.dirname, "../../docs/audit.md"), "utf8");
  const source = /```ts\n([^]*?)```/.exec(page)?.[1] ?? "";
  const plain = encodeURIComponent(stripTypeScriptTypes(source));
  const { isFromLatchkey } = (await import(`data:text/javascript,${plain}`)) as {
    isFromLatchkey: (secret: string, headers: Readonly<Record<string, string>>, body: string) => boolean;
  };
  const [secret, other] = [createSecret(), createSecret()];
  const signed = {
    id: "event_1",
    timestampSeconds: Math.floor(Date.now() / 1_000),
    body: '{"type":"session_started"}',
  };
  const headers = signatureHeaders(signed, [other, secret]);
  expect(isFromLatchkey(spellSecret(secret), headers, signed.body)).toBe(true);
  expect(isFromLatchkey(spellSecret(createSecret()), headers, signed.body)).toBe(false);
  expect(isFromLatchkey(spellSecret(secret), headers, `${signed.body} `)).toBe(false);
  expect(isFromLatchkey(spellSecret(secret), { ...headers, "webhook-id": "event_2" }, signed.body)).toBe(false);
  const old = signatureHeaders({ ...signed, timestampSeconds: signed.timestampSeconds - 301 }, [secret]);
  expect(isFromLatchkey(spellSecret(secret), old, signed.body)).toBe(false);
});
