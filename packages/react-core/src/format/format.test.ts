import { nanosFromMillis } from "@spanloom/model";
import { describe, expect, test } from "vitest";
import { coreMessages } from "../messages/core-messages.ts";
import { createTranslate } from "../messages/messages.ts";
import { createFormat, type Format } from "./format.ts";

function formatIn(locale: string, timeZone = "UTC", texts: Record<string, string> = {}): Format {
  return createFormat(createTranslate(coreMessages, texts, locale), locale, timeZone);
}
const english = formatIn("en-US");
const german = formatIn("de-DE", "Europe/Berlin");

test("unknown is said, never shown as 0", () => {
  const shown = [
    english.duration(undefined),
    english.tokens(undefined),
    english.count(undefined),
    english.cost(undefined),
    english.costExact(undefined),
    english.time(undefined),
    english.dateTime(undefined),
    english.relative(undefined, 0),
    english.percent(undefined),
  ];
  expect(new Set(shown)).toEqual(new Set(["N/A"]));
  expect(formatIn("de", "UTC", { "value.unknown": "k. A." }).cost(undefined)).toBe("k. A.");
});

describe("durations", () => {
  test.each([
    [0, "0 ms"],
    [0.42, "0.4 ms"],
    [84.4, "84 ms"],
    [999.4, "999 ms"],
    [999.6, "1 s"],
    [2_140, "2.1 s"],
    [59_960, "1 m 0 s"],
    [192_000, "3 m 12 s"],
    [3_599_600, "1 h 00 m"],
    [3_720_000, "1 h 02 m"],
    [86_400_000, "1 d 0 h"],
  ])("%d ms is %s", (ms, text) => expect(english.duration(ms)).toBe(text));

  test("decimals follow the language", () => expect(german.duration(2_140)).toBe("2,1 s"));
});

describe("money", () => {
  test.each([
    [0, "$0.00"],
    [1, "$0.0000000010"],
    [180, "$0.00000018"],
    [4_649_000, "$0.0046"],
    [31_200_000, "$0.0312"],
    [500_000_000, "$0.50"],
    [14_201_000_000, "$14.20"],
    [1_234_567_890_000, "$1,234.57"],
  ])("%d nano-USD is %s", (nanoUsd, text) => expect(english.cost(nanoUsd)).toBe(text));

  test("exact keeps every digit, and is never scientific", () => {
    expect(english.costExact(31_245_678)).toBe("$0.031245678");
    expect(english.costExact(1)).toBe("$0.000000001");
  });

  test("follows the language", () => expect(german.cost(1_234_567_890_000)).toBe("1.234,57\u00a0$"));
});

test("tokens are short and counts are whole", () => {
  expect([999, 12_431, 999_949, 999_950, 3_200_000_000].map(english.tokens)).toEqual([
    "999",
    "12.4k",
    "999.9k",
    "1M",
    "3.2B",
  ]);
  expect(english.count(12_431)).toBe("12,431");
  expect(formatIn("hi-IN").count(1_234_567)).toBe("12,34,567");
});

test("times stand in the chosen zone, days in none", () => {
  const at = nanosFromMillis(Date.parse("2026-11-20T23:02:11.482Z"));
  expect(english.time(at)).toBe("23:02:11.482");
  expect(english.dateTime(at)).toBe("Nov 20, 23:02:11");
  expect(german.dateTime(at)).toBe("21. Nov., 00:02:11");
  expect(formatIn("en-US", "Pacific/Kiritimati").day("2026-11-20")).toBe("Nov 20");
});

test("ages are in the largest unit that fits, and now is not the future", () => {
  const now = 1_000_000_000;
  expect(english.relative(now, now)).toBe("0 seconds ago");
  expect(english.relative(now - 90_000, now)).toBe("1 minute ago");
  expect(english.relative(now - 7_200_000, now)).toBe("2 hours ago");
  expect(english.relative(now - 3 * 86_400_000, now)).toBe("3 days ago");
});

test("percent of a ratio", () => {
  expect([0, 0.625, 1].map(english.percent)).toEqual(["0%", "62.5%", "100%"]);
});
