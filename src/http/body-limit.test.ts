import { expect, test } from "vitest";
import { createBodyLimit } from "./body-limit.ts";
import { FORM_BYTES_MAX } from "./form.ts";
import { askApp } from "./test-server.ts";
import { createTestToolkit } from "./test-toolkit.ts";

const post = (byteCount: number) =>
  askApp(
    [
      createTestToolkit().failurePages.middleware,
      createBodyLimit(),
      async (ctx) => {
        ctx.body = "read";
      },
    ],
    { method: "POST", body: "x".repeat(byteCount) },
  );

test("a body of exactly 64 KiB goes on", async () => {
  expect(await post(FORM_BYTES_MAX)).toMatchObject({ status: 200 });
});

test("a body that says that it is one byte larger gets 413 before it is read", async () => {
  expect(await post(FORM_BYTES_MAX + 1)).toMatchObject({ status: 413, headers: { connection: "close" } });
});
