import { describe, expect, test } from "vitest";
import { createAddressPolicy } from "./index.ts";

const PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2001:4860:4860::8888"];

const INSIDE = [
  ["unspecified", "0.0.0.0"],
  ["this network", "0.1.2.3"],
  ["private", "10.0.0.1"],
  ["private", "172.16.0.1"],
  ["private", "172.31.255.255"],
  ["private", "192.168.1.1"],
  ["loopback", "127.0.0.1"],
  ["loopback", "127.255.255.254"],
  ["link-local, the cloud's metadata", "169.254.169.254"],
  ["carrier-grade NAT", "100.64.0.1"],
  ["protocol assignments", "192.0.0.8"],
  ["documentation", "192.0.2.1"],
  ["documentation", "198.51.100.7"],
  ["documentation", "203.0.113.4"],
  ["6to4 relay", "192.88.99.1"],
  ["benchmarking", "198.18.0.1"],
  ["multicast", "224.0.0.1"],
  ["reserved", "240.0.0.1"],
  ["broadcast", "255.255.255.255"],
  ["unspecified", "::"],
  ["loopback", "::1"],
  ["IPv4-compatible", "::7f00:1"],
  ["IPv4-mapped", "::ffff:10.0.0.1"],
  ["IPv4-translated", "::ffff:0:7f00:1"],
  ["link-local", "fe80::1"],
  ["link-local with a zone", "fe80::1%eth0"],
  ["site-local", "fec0::1"],
  ["unique local", "fd00::1"],
  ["multicast", "ff02::1"],
  ["NAT64", "64:ff9b::a00:1"],
  ["local NAT64", "64:ff9b:1::1"],
  ["6to4", "2002:7f00:1::"],
  ["Teredo", "2001:0:1::1"],
  ["ORCHID", "2001:20::1"],
  ["benchmarking", "2001:2::1"],
  ["documentation", "2001:db8::1"],
  ["documentation", "3fff::1"],
  ["discard", "100::1"],
  ["segment routing", "5f00::1"],
  ["not given out", "4000::1"],
  ["no address at all", "localhost"],
] as const;

describe("without an allowed network", () => {
  const policy = createAddressPolicy([]);

  test.each(PUBLIC)("%s may be connected to", (address) => {
    expect(policy.isAllowed(address)).toBe(true);
  });

  test.each(INSIDE)("%s is refused: %s [ASVS 15.3.2]", (_kind, address) => {
    expect(policy.isAllowed(address)).toBe(false);
  });

  test.each([
    "https://127.0.0.1/out",
    "https://2130706433/out",
    "https://0x7f.1/out",
    "https://0177.0.0.1/out",
    "https://[::1]/out",
    "https://[::ffff:a00:1]/out",
    "https://localhost/out",
    "https://localhost./out",
    "https://app.localhost/out",
    "https://169.254.169.254/latest/meta-data",
  ])("%s is seen to lead inside without asking DNS", (uri) => {
    expect(policy.uriFault(uri)).toMatch(/^leads inside/);
  });

  test.each([
    "http://shop.example.com/out",
    "http://8.8.8.8/out",
    "http://localhost/out",
    "ftp://shop.example.com/out",
  ])("%s is refused because it is not https", (uri) => {
    expect(policy.uriFault(uri)).toMatch(/^is not https/);
  });

  test.each(["https://shop.example.com/out", "https://8.8.8.8:8443/out"])("%s has no fault", (uri) => {
    expect(policy.uriFault(uri)).toBeUndefined();
  });

  test("what is no URI is refused", () => {
    expect(policy.uriFault("shop.example.com")).toBe("is not an absolute URI");
  });
});

describe("with allowed networks, addresses and names", () => {
  const policy = createAddressPolicy(["10.20.0.0/16", "127.0.0.1", "fd00::/8", "Rp.Internal", "localhost"]);

  test.each(["10.20.0.1", "10.20.255.255", "127.0.0.1", "::ffff:10.20.0.1", "fd12::1"])(
    "%s may be connected to",
    (address) => {
      expect(policy.isAllowed(address)).toBe(true);
    },
  );

  test.each(["10.21.0.0", "10.19.255.255", "127.0.0.2", "fc00::1", "::1"])(
    "%s, next to them, is refused",
    (address) => {
      expect(policy.isAllowed(address)).toBe(false);
    },
  );

  test.each(["http://10.20.3.4/out", "http://127.0.0.1:3001/out", "http://rp.internal/out", "http://LOCALHOST:1/out"])(
    "%s may be http, because the operator named it",
    (uri) => {
      expect(policy.uriFault(uri)).toBeUndefined();
    },
  );

  test.each([
    "http://shop.example.com/out",
    "http://evil.rp.internal/out",
    "http://127.0.0.2/out",
    "ftp://rp.internal/out",
    "javascript://rp.internal/%0aalert(1)",
  ])("%s may not", (uri) => {
    expect(policy.uriFault(uri)).toMatch(/^is not https/);
  });
});
