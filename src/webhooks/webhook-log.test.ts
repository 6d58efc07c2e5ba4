import { expect, test, vi } from "vitest";
import { createWebhookLog } from "./index.ts";

test("the log says of trouble once, and when it is over, and nothing of what is told", () => {
  const log = { info: vi.fn<(fields: object, sentence: string) => void>(), warn: vi.fn<(fields: object) => void>() };
  const told = createWebhookLog(log);
  for (const reason of ["status_500", "status_500"])
    told.settled({ webhook: "siem", tries: 1, result: "retried", reason });
  told.settled({ webhook: "siem", tries: 2, result: "sent" });
  told.settled({ webhook: "siem", tries: 1, result: "sent" });
  told.settled({ webhook: "siem", tries: 1, result: "refused", reason: "status_410" });
  told.settled({ webhook: "siem", tries: 9, result: "expired", reason: "expired" });
  expect(log.info.mock.calls.map(([fields]) => fields)).toEqual([{ webhook: "siem" }]);
  expect(log.warn.mock.calls.map(([fields]) => fields)).toEqual([
    { webhook: "siem", tries: 1, reason: "status_500" },
    { webhook: "siem", tries: 1, reason: "status_410" },
    { webhook: "siem", tries: 9, reason: "expired" },
  ]);
});
