import { describe, expect, test } from "vitest";
import { describeDevice } from "./device.ts";

const MOZILLA = "Mozilla/5.0";

describe("a device is described by browser and system", () => {
  test.each([
    [`${MOZILLA} (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0`, "Firefox on Linux"],
    [
      `${MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36`,
      "Chrome on Windows",
    ],
    [
      `${MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0`,
      "Edge on Windows",
    ],
    [
      `${MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15`,
      "Safari on macOS",
    ],
    [
      `${MOZILLA} (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1`,
      "Safari on iPhone",
    ],
    [
      `${MOZILLA} (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.0.0 Mobile/15E148 Safari/604.1`,
      "Chrome on iPad",
    ],
    [
      `${MOZILLA} (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15`,
      "Firefox on iPhone",
    ],
    [
      `${MOZILLA} (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36`,
      "Chrome on Android",
    ],
    [
      `${MOZILLA} (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`,
      "Samsung Internet on Android",
    ],
    [
      `${MOZILLA} (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36`,
      "Chrome on ChromeOS",
    ],
    [
      `${MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 OPR/122.0.0.0`,
      "Opera on macOS",
    ],
    ["curl/8.14.1", "curl"],
    [`${MOZILLA} (X11; Linux x86_64)`, "Linux"],
  ])("%s", (header, device) => {
    expect(describeDevice(header)).toBe(device);
  });
});

describe("nothing is said of a header that tells nothing", () => {
  test.each([[undefined], [""], ["x"], ["<script>alert(1)</script>"], ["\u0000".repeat(10_000)]])("%j", (header) => {
    expect(describeDevice(header)).toBeUndefined();
  });
});

test("what stands far back in a long header is not looked for", () => {
  expect(describeDevice(`${"a ".repeat(300)}Firefox/140.0`)).toBeUndefined();
});

test("an answer is made of words of ours, whatever the header holds", () => {
  const device = describeDevice('<b onclick="x">Firefox/1</b> (Windows; alice@example.com)');
  expect(device).toBe("Firefox on Windows");
});
