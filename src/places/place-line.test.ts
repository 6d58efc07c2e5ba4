import { describe, expect, test } from "vitest";
import { PLACE_LINE_EXAMPLE, parsePlaceLine } from "./place-line.ts";

const IPV4 = 0xffff_0000_0000n;
const OFFICE = { start: IPV4 + 0xc000_0200n, prefixBits: 120 };

describe("a line", () => {
  test.each(["", "   ", "# 192.0.2.0/24,Malmö", "  # later", "\r"])("that says nothing: %j", (line) => {
    expect(parsePlaceLine(line)).toEqual({ kind: "empty" });
  });

  test.each([
    ["192.0.2.0/24,Malmö", "Malmö"],
    [PLACE_LINE_EXAMPLE, "Malmö, Sweden"],
    ["  192.0.2.0/24 ,  Malmö, Sweden \r", "Malmö, Sweden"],
    ['192.0.2.0/24,"Malmö, Sweden"', "Malmö, Sweden"],
    ['"192.0.2.0/24","The ""Garden House"", Vienna"', 'The "Garden House", Vienna'],
    ['192.0.2.0/24,The "Garden House"', 'The "Garden House"'],
    ["192.0.2.0/24,<b>&amp;", "<b>&amp;"],
    ["192.0.2.0/24,Malmö # the new office", "Malmö # the new office"],
    ["::ffff:192.0.2.0/120,as IPv6", "as IPv6"],
    [`192.0.2.0/24,${"x".repeat(100)}`, "x".repeat(100)],
  ])("has a network and, behind the first comma, a place: %s", (line, place) => {
    expect(parsePlaceLine(line)).toEqual({ kind: "place", network: OFFICE, place });
  });

  test.each([
    ["0.0.0.0/0,x", { start: IPV4, prefixBits: 96 }],
    ["192.0.2.7/32,x", { start: IPV4 + 0xc000_0207n, prefixBits: 128 }],
    ["2001:DB8::/32,x", { start: 0x2001_0db8n << 96n, prefixBits: 32 }],
    ["::/0,x", { start: 0n, prefixBits: 0 }],
    ["2001:db8::1/128,x", { start: (0x2001_0db8n << 96n) + 1n, prefixBits: 128 }],
  ])("may have any length of prefix: %s", (line, network) => {
    expect(parsePlaceLine(line)).toEqual({ kind: "place", network, place: "x" });
  });
});

describe("a fault is a line", () => {
  const NO_NETWORK = "does not begin with a network such as 192.0.2.0/24 or 2001:db8::/32";
  const NOT_FIRST = "gives an address in the midst of its network in place of the first";
  const QUOTES = "has a quotation mark without another at the end, or one in between";

  test.each([
    ["192.0.2.0/24;Malmö", "has no comma between a network and a place"],
    ["192.0.2.0/24", "has no comma between a network and a place"],
    ["network,place", NO_NETWORK],
    ["192.0.2.0,Malmö", NO_NETWORK],
    ["192.0.2.0/33,Malmö", NO_NETWORK],
    ["192.0.2/24,Malmö", NO_NETWORK],
    ["192.0.2.0/,Malmö", NO_NETWORK],
    ["192.000.2.0/24,Malmö", NO_NETWORK],
    ["192.0.2.256/32,Malmö", NO_NETWORK],
    ["192.0.2.0/-1,Malmö", NO_NETWORK],
    ["2001:db8::/129,Malmö", NO_NETWORK],
    ["2001:db8::1::/64,Malmö", NO_NETWORK],
    ["fe80::%eth0/64,Malmö", NO_NETWORK],
    [',"Malmö"', NO_NETWORK],
    ['"192.0.2.0/24,Malmö', NO_NETWORK],
    ["192.0.2.1/24,Malmö", NOT_FIRST],
    ["2001:db8::1/64,Malmö", NOT_FIRST],
    ["192.0.2.0/24,", "has no place after the comma"],
    ['192.0.2.0/24,""', "has no place after the comma"],
    ['192.0.2.0/24,"Malmö', QUOTES],
    ['192.0.2.0/24,"Malmö","Sweden"', QUOTES],
    [`192.0.2.0/24,${"x".repeat(101)}`, "has a place of more than 100 characters"],
    ["192.0.2.0/24,Malmö\tSweden", "has a character that is no text, such as a tab"],
    ["192.0.2.0/24,Malmö\u202Eneve", "has a character that is no text, such as a tab"],
    ["192.0.2.0/24,Malm\uFFFD", "is not UTF-8"],
  ])("such as %j", (line, problem) => {
    expect(parsePlaceLine(line)).toEqual({ kind: "faulty", problem });
  });
});
