import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ZONES } from "./history.test-support.ts";
import { localDays } from "./local-days.ts";

const NOW = Date.UTC(2026, 10, 20, 12);

function hours(timeZone: string, lastDay: string, days: number): number[] {
  return localDays({ timeZone, lastDay, days }, NOW).map((day) => (day.endSeconds - day.startSeconds) / 3600);
}

function starts(timeZone: string, lastDay: string): string | undefined {
  const [day] = localDays({ timeZone, lastDay, days: 1 }, NOW);
  return day && new Date(day.startSeconds * 1000).toISOString();
}

describe("days around clock changes", () => {
  test.each([
    ["Europe/Prague", "2026-03-30", [24, 23, 24]],
    ["Europe/Prague", "2026-10-26", [24, 25, 24]],
    ["Australia/Lord_Howe", "2026-04-06", [24, 24.5, 24]],
    ["Pacific/Chatham", "2026-04-06", [24, 25, 24]],
    ["Pacific/Apia", "2011-12-31", [24, 0, 24]],
    ["Asia/Kathmandu", "2026-03-30", [24, 24, 24]],
  ])("%s until %s", (timeZone, lastDay, wanted) => {
    expect(hours(timeZone, lastDay, 3)).toEqual(wanted);
  });

  test("a day begins where its first quarter-hour is, also without a midnight", () => {
    // Chile, Egypt and the Azores go from 00:00 to 01:00: the day begins at one o'clock.
    expect(starts("America/Santiago", "2026-09-06")).toBe("2026-09-06T04:00:00.000Z");
    expect(starts("Africa/Cairo", "2026-04-24")).toBe("2026-04-23T22:00:00.000Z");
    expect(starts("Atlantic/Azores", "2026-03-29")).toBe("2026-03-29T01:00:00.000Z");
    expect(starts("Asia/Kathmandu", "2026-11-20")).toBe("2026-11-19T18:15:00.000Z");
    expect(starts("Pacific/Kiritimati", "2026-11-20")).toBe("2026-11-19T10:00:00.000Z");
  });
});

test("days follow one another without gaps, on the grid, and hold the instants whose local date they name", () => {
  const zones = fc.constantFrom(
    ...ZONES,
    "Europe/London",
    "Asia/Tehran",
    "America/New_York",
    "Africa/Casablanca",
  );
  fc.assert(
    fc.property(
      zones,
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 0, max: 20_000 }),
      (timeZone, days, at) => {
        // St. John's fell back one minute after midnight until 2011: then a quarter-hour's date goes back.
        const first = timeZone === "America/St_Johns" ? Date.UTC(2012) : Date.UTC(2005);
        const lastDay = new Date(first + (at % 8000) * 86_400_000).toISOString().slice(0, 10);
        const cut = localDays({ timeZone, days, lastDay }, NOW);
        expect(cut).toHaveLength(days);
        expect(cut.at(-1)?.day).toBe(lastDay);
        const local = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" });
        for (const [index, day] of cut.entries()) {
          expect(day.startSeconds % 900).toBe(0);
          if (index > 0) expect(day.startSeconds).toBe(cut[index - 1]?.endSeconds);
          if (day.startSeconds === day.endSeconds) continue;
          expect(local.format(day.startSeconds * 1000)).toBe(day.day);
          expect(local.format(day.endSeconds * 1000 - 1)).toBe(day.day);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("today is today in the zone, not here", () => {
  const late = Date.UTC(2026, 10, 20, 10, 30);
  const lastOf = (timeZone: string) => localDays({ timeZone, days: 2 }, late).at(-1)?.day;
  expect(lastOf("Pacific/Kiritimati")).toBe("2026-11-21");
  expect(lastOf("Pacific/Pago_Pago")).toBe("2026-11-19");
});

test.each(["Europe/Atlantis", "", "+05:37", "-08:00", "UTC\u0000"])("no time zone: %j", (timeZone) => {
  expect(() => localDays({ timeZone, days: 1 }, NOW)).toThrow(
    expect.objectContaining({ code: "invalid_time_zone", fix: expect.stringContaining("Europe/Berlin") }),
  );
});

test.each([0, -1, 401, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("no number of days: %d", (days) => {
  expect(() => localDays({ timeZone: "UTC", days }, NOW)).toThrow(
    expect.objectContaining({ code: "invalid_argument" }),
  );
});

test.each(["2026-02-30", "2026-13-01", "today", "", "1969-12-31", "2300-01-01"])(
  "no last day: %j",
  (lastDay) => {
    expect(() => localDays({ timeZone: "UTC", days: 1, lastDay }, NOW)).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  },
);

test("the first days of all begin with time itself", () => {
  const [first] = localDays({ timeZone: "Asia/Tokyo", days: 3, lastDay: "1970-01-01" }, NOW);
  expect(first).toEqual({ day: "1969-12-30", startSeconds: 0, endSeconds: 0 });
});
