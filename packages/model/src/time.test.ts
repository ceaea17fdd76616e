import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareNanos,
  isUnixNanos,
  microsOf,
  millisBetween,
  millisOf,
  nanosFromMicros,
  nanosFromMillis,
  nanosRest,
  nanosToRfc3339,
  rfc3339ToNanos,
} from "./time.ts";

const MAX = 2n ** 63n - 1n;
const any = fc.oneof(fc.bigInt({ min: 0n, max: MAX }), fc.bigInt({ min: 0n, max: 2_000n }));
/** Until the year 2255, where whole microseconds stay safe integers. */
const safe = fc.oneof(
  fc.bigInt({ min: 0n, max: 9_007_199_254_740_991_999n }),
  fc.bigInt({ min: 0n, max: 2_000n }),
);

describe("Unix nanoseconds", () => {
  it("order as their numbers do", () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        expect(Math.sign(compareNanos(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it("come apart into microseconds and a rest, and together again", () => {
    fc.assert(
      fc.property(safe, (time) => {
        const text = String(time);
        expect(BigInt(microsOf(text)) * 1_000n + BigInt(nanosRest(text))).toBe(time);
        expect(nanosFromMicros(microsOf(text), nanosRest(text))).toBe(text);
      }),
    );
  });

  it("survive RFC 3339", () => {
    fc.assert(
      fc.property(any, (time) => {
        expect(rfc3339ToNanos(nanosToRfc3339(String(time)))).toBe(String(time));
      }),
    );
  });

  it("give the nearest double of a difference under 104 days, also a negative one", () => {
    const most = BigInt(Number.MAX_SAFE_INTEGER);
    fc.assert(
      fc.property(safe, fc.bigInt({ min: -most, max: most }), (start, length) => {
        const end = start + length;
        fc.pre(end >= 0n && end <= 9_007_199_254_740_991_999n);
        expect(millisBetween(String(start), String(end))).toBe(Number(length) / 1e6);
      }),
      { numRuns: 2_000 },
    );
    expect(millisBetween("1795167000000000001", "1795167000000000000")).toBe(-0.000001);
  });

  it("come from milliseconds as Date.now gives them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8_640_000_000_000 }), (millis) => {
        expect(nanosFromMillis(millis)).toBe(String(BigInt(millis) * 1_000_000n));
        expect(millisOf(nanosFromMillis(millis))).toBe(millis);
      }),
    );
    expect(nanosFromMillis(1.5)).toBe("1500000");
    expect(nanosFromMillis(0.999_999_9)).toBe("1000000");
  });

  it.each([
    ["0", true],
    ["9223372036854775807", true],
    ["9223372036854775808", false],
    ["10000000000000000000", false],
    ["01", false],
    ["-1", false],
    ["1.5", false],
    ["", false],
    ["1\n", false],
    [1, false],
    [undefined, false],
  ])("are told from what they are not: %j is %s", (value, expected) => {
    expect(isUnixNanos(value)).toBe(expected);
  });
});

describe("RFC 3339", () => {
  it.each([
    ["1970-01-01T00:00:00Z", "0"],
    ["1970-01-01T00:00:00.000000001Z", "1"],
    ["2026-11-21T09:30:00.5Z", "1795253400500000000"],
    ["2026-11-21T10:30:00.5+01:00", "1795253400500000000"],
    ["2026-11-21T04:00:00.500000000-05:30", "1795253400500000000"],
    ["2026-11-21t09:30:00.5z", "1795253400500000000"],
    ["1970-01-01T01:00:00+01:00", "0"],
  ])("%s is %s", (text, expected) => {
    expect(rfc3339ToNanos(text)).toBe(expected);
  });

  it("shows nine digits, in UTC", () => {
    expect(nanosToRfc3339("1795253400000000001")).toBe("2026-11-21T09:30:00.000000001Z");
    expect(nanosToRfc3339("7")).toBe("1970-01-01T00:00:00.000000007Z");
  });

  it.each([
    "",
    "now",
    "2026-11-21",
    "2026-11-21T09:30:00",
    "2026-11-21 09:30:00Z",
    "2026-13-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-11-21T25:00:00Z",
    "2026-11-21T24:00:00Z",
    "2026-11-21T23:59:60Z",
    "2026-11-21T09:30:00+99:00",
    "2026-11-21T09:30:00.0000000001Z",
    "1969-12-31T23:59:59Z",
    "2300-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
  ])("refuses %j", (text) => {
    expect(() => rfc3339ToNanos(text)).toThrow(expect.objectContaining({ code: "invalid_time" }));
  });
});
