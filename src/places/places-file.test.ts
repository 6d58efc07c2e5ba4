import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readPlacesFile } from "./places-file.ts";

const EXAMPLE_FILE = join(import.meta.dirname, "../../config/places.example.csv");

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "latchkey-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function read(content: string | Buffer) {
  const path = join(directory, "places.csv");
  writeFileSync(path, content);
  return readPlacesFile(path);
}

function placesOf(lines: readonly string[]) {
  const { placeOf, faults } = read(lines.join("\n"));
  expect(faults).toEqual([]);
  return placeOf;
}

function problemsOf(content: string | Buffer): readonly string[] {
  return read(content).faults.map(({ problem }) => problem);
}

describe("where an address is", () => {
  const NESTED = [
    "10.0.0.0/8,Inside",
    "10.1.0.0/16,Malmö",
    "10.1.2.0/24,Malmö, third floor",
    "10.1.2.3/32,Reception",
    "10.1.255.0/24,Malmö, roof",
    "11.0.0.0/8,Beside",
    "2001:db8::/32,Lyon",
    "2001:db8:0:1::/64,Lyon, guests",
    "2001:db8:0:1::7/128,Lyon, printer",
  ];

  test.each([
    ["9.255.255.255", undefined],
    ["10.0.0.0", "Inside"],
    ["10.0.255.255", "Inside"],
    ["10.1.0.0", "Malmö"],
    ["10.1.2.2", "Malmö, third floor"],
    ["10.1.2.3", "Reception"],
    ["10.1.2.4", "Malmö, third floor"],
    ["10.1.2.255", "Malmö, third floor"],
    ["10.1.3.0", "Malmö"],
    ["10.1.255.255", "Malmö, roof"],
    ["10.2.0.0", "Inside"],
    ["11.0.0.0", "Beside"],
    ["11.255.255.255", "Beside"],
    ["12.0.0.0", undefined],
    ["2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", undefined],
    ["2001:db8::", "Lyon"],
    ["2001:db8:0:1::6", "Lyon, guests"],
    ["2001:DB8:0:1:0:0:0:7", "Lyon, printer"],
    ["2001:db8:0:1::8", "Lyon, guests"],
    ["2001:db8:0:2::", "Lyon"],
    ["2001:db9::", undefined],
  ])("is what the most specific network says: %s", (address, place) => {
    expect(placesOf(NESTED)(address)).toBe(place);
    expect(placesOf(NESTED.toReversed())(address)).toBe(place);
  });

  test("is the same for an IPv4 address that is written as IPv6", () => {
    const placeOf = placesOf(["192.0.2.0/24,Malmö"]);
    for (const address of ["::ffff:192.0.2.7", "::ffff:c000:207", "::FFFF:192.0.2.7"]) {
      expect(placeOf(address)).toBe("Malmö");
    }
    expect(placeOf("::ffff:192.0.3.0")).toBeUndefined();
  });

  test("is known to the ends of both kinds of addresses, and all of IPv6 says nothing about IPv4", () => {
    const ipv6 = placesOf(["::/0,IPv6", "ffff::/16,The end"]);
    expect(["::", "fe80::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"].map(ipv6)).toEqual(["IPv6", "IPv6", "The end"]);
    expect(["0.0.0.0", "::ffff:192.0.2.7", "255.255.255.255"].map(ipv6)).toEqual([undefined, undefined, undefined]);
    expect(["::fffe:ffff:ffff", "::1:0:0:0"].map(ipv6)).toEqual(["IPv6", "IPv6"]);
    const both = placesOf(["::/0,IPv6", "0.0.0.0/0,IPv4"]);
    expect(["::1", "0.0.0.0", "255.255.255.255"].map(both)).toEqual(["IPv6", "IPv4", "IPv4"]);
  });

  test.each(["", "unknown", "192.0.2", "192.0.2.7:80", "[::1]", "fe80::1%eth0", "192.0.2.0/24"])(
    "is not known of what is no address: %j",
    (text) => {
      expect(placesOf(["0.0.0.0/0,IPv4", "::/0,IPv6"])(text)).toBeUndefined();
    },
  );

  test("is not known of any address when the file says nothing", () => {
    for (const content of ["", "# none yet\n", "\n\n"]) {
      const { placeOf, faults } = read(content);
      expect(faults).toEqual([]);
      expect(placeOf("192.0.2.7")).toBeUndefined();
    }
  });
});

test("lines may end as Windows ends them, after a byte order mark, and the last one not at all", () => {
  const { placeOf, faults } = read("\uFEFF192.0.2.0/24,Malmö\r\n\r\n198.51.100.0/24,Lyon");
  expect(faults).toEqual([]);
  expect(["192.0.2.1", "198.51.100.1"].map(placeOf)).toEqual(["Malmö", "Lyon"]);
});

test("the example file has no fault, and says what it explains", () => {
  const { placeOf, faults } = readPlacesFile(EXAMPLE_FILE);
  expect(faults).toEqual([]);
  expect(placeOf("192.0.2.7")).toBe("Office in Malmö, Sweden");
  expect(placeOf("192.0.2.130")).toBe("Guest Wi-Fi in Malmö, Sweden");
  expect(placeOf("203.0.113.1")).toBe('The "Garden House", Vienna');
  expect(placeOf("2001:db8::1")).toBe("VPN");
});

describe("faults", () => {
  test("are all named at once, by their lines, and then nothing is known", () => {
    const { placeOf, faults } = read(
      "# offices\n192.0.2.0/24,Malmö\nhere,Lyon\n198.51.100.0/24\n192.0.2.0/24,Lund\n203.0.113.9/24,Vienna\n",
    );
    expect(faults.map(({ problem }) => problem)).toEqual([
      "line 3 does not begin with a network such as 192.0.2.0/24 or 2001:db8::/32",
      "line 4 has no comma between a network and a place",
      "line 5 names the network of line 2 again",
      "line 6 gives an address in the midst of its network in place of the first",
    ]);
    expect(new Set(faults.map(({ about }) => about))).toEqual(new Set(["line"]));
    expect(placeOf("192.0.2.7")).toBeUndefined();
  });

  test("are networks that stand twice, however they are written", () => {
    expect(problemsOf("192.0.2.0/24,a\n::ffff:192.0.2.0/120,b\n2001:db8::/32,c\n2001:0DB8:0::/32,d\n")).toEqual([
      "line 2 names the network of line 1 again",
      "line 4 names the network of line 3 again",
    ]);
  });

  test("are bytes that are not UTF-8", () => {
    expect(problemsOf(Buffer.from("192.0.2.0/24,Malmö", "latin1"))).toEqual(["line 1 is not UTF-8"]);
  });

  test("beyond fifty are counted: it is the wrong file", () => {
    expect(problemsOf("x\n".repeat(50))).toHaveLength(50);
    expect(problemsOf("x\n".repeat(51)).slice(49)).toEqual([
      "line 50 has no comma between a network and a place",
      "has 1 more line with faults",
    ]);
    expect(problemsOf("x\n".repeat(1000)).at(-1)).toBe("has 950 more lines with faults");
  });

  test("are a file that is not there, is none, or is too large to be one", () => {
    const problemOf = (path: string): unknown => readPlacesFile(path).faults;
    const unreadable = [{ problem: "names a file that cannot be read", about: "file" }];
    expect(problemOf(join(directory, "gone.csv"))).toEqual(unreadable);
    expect(problemOf(directory)).toEqual(unreadable);
    expect(problemOf("/dev/zero")).toEqual(unreadable);
    const large = join(directory, "large.csv");
    writeFileSync(large, "");
    truncateSync(large, 64 * 2 ** 20 + 1);
    expect(problemOf(large)).toEqual([{ problem: "names a file of more than 64 MiB", about: "file" }]);
    truncateSync(large, 64 * 2 ** 20);
    expect(problemOf(large)).toEqual([expect.objectContaining({ about: "line" })]);
  });
});

test("200,000 networks in no order are all found, each in its own place", { timeout: 30_000 }, () => {
  const count = 200_000;
  const lines = Array.from({ length: count }, (_, index) => {
    // A prime step visits every index once, in an order that is no order.
    const number = (index * 7919) % count;
    return number % 2 === 0 ? `${ipv4(number)}0/24,City ${number}` : `${ipv6(number)}/48,City ${number}`;
  });
  const placeOf = placesOf(lines);
  const wrong = Array.from({ length: count }, (_, number) => number).filter((number) => {
    const address = number % 2 === 0 ? `${ipv4(number)}${number % 256}` : `${ipv6(number)}${number % 9973}`;
    return placeOf(address) !== `City ${number}`;
  });
  expect(wrong).toEqual([]);
  expect(["0.255.255.255", "4.13.64.0", "2a00:ffff::", "2a01:3:d40::"].map(placeOf)).toEqual(Array(4).fill(undefined));
});

const ipv4 = (number: number): string => `${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}.`;
const ipv6 = (number: number): string => `2a01:${(number >> 16).toString(16)}:${(number & 0xffff).toString(16)}::`;
