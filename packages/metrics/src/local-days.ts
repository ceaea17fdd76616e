import { type DailyCostsQuery, SpanloomError } from "@spanloom/model";

/** One day of a time zone, in whole seconds since the epoch, on the 15-minute grid. */
export interface LocalDay {
  /** `YYYY-MM-DD` */
  day: string;
  /** The first quarter-hour whose local date is this day (or later, for a day that the zone skipped). */
  startSeconds: number;
  /** The start of the next day. Equal to the start for a day that the zone skipped. */
  endSeconds: number;
}

const MAX_DAYS = 400;
const QUARTER_SECONDS = 900;
/** Farther from UTC midnight than any zone's midnight has ever been. */
const WINDOW_SECONDS = 26 * 3600;
/** Nanoseconds as int64 end in April 2262. */
const LAST_DAY = "2262-01-01";

/**
 * The days that a query asks for, in order, as the zone's clocks cut them: 23, 24 or 25 hours, and right also where a
 * clock change leaves out midnight or a whole day. Every zone stands on 15-minute offsets since 1972, so sums kept by
 * quarter-hour can be cut exactly here.
 *
 * Throws `invalid_time_zone`, and `invalid_argument` for `days` outside 1 to 400 or a `lastDay` that is no date.
 */
export function localDays(
  query: Pick<DailyCostsQuery, "days" | "timeZone" | "lastDay">,
  nowMs: number,
): LocalDay[] {
  const { days, timeZone } = query;
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS) {
    throw new SpanloomError("invalid_argument", {
      what: "The number of days cannot be used.",
      why: `It is ${String(days).slice(0, 40)}, and must be a whole number from 1 to ${MAX_DAYS}.`,
      fix: "Ask for fewer days, or for several ranges by lastDay.",
    });
  }
  const localDate = dateFormatOf(timeZone);
  const lastDay = query.lastDay ?? localDate(Math.floor(nowMs / 1000));
  const last = utcMidnight(lastDay);
  const starts: number[] = [];
  const names: string[] = [];
  for (let back = days - 1; back >= -1; back--) {
    const midnight = last - back * 86_400;
    const day = dayName(midnight);
    names.push(day);
    starts.push(Math.max(0, dayStart(localDate, midnight, day)));
  }
  return starts.slice(0, -1).map((startSeconds, index) => ({
    day: names[index] as string,
    startSeconds,
    endSeconds: starts[index + 1] as number,
  }));
}

type LocalDate = (seconds: number) => string;

/** Searches the grid: local dates only grow along it. */
function dayStart(localDate: LocalDate, utcMidnightSeconds: number, day: string): number {
  let before = utcMidnightSeconds - WINDOW_SECONDS;
  let found = utcMidnightSeconds + WINDOW_SECONDS;
  while (found - before > QUARTER_SECONDS) {
    const quarters = Math.floor((found - before) / (2 * QUARTER_SECONDS));
    const middle = before + quarters * QUARTER_SECONDS;
    if (localDate(middle) >= day) found = middle;
    else before = middle;
  }
  return found;
}

/** Formatters are slow to make and cheap to keep; there are some 400 zones. */
const formats = new Map<string, LocalDate>();

function dateFormatOf(timeZone: string): LocalDate {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = makeFormat(timeZone);
  const localDate: LocalDate = (seconds) => {
    const parts: Record<string, string> = {};
    for (const part of format.formatToParts(seconds * 1000)) parts[part.type] = part.value;
    return `${parts.year?.padStart(4, "0")}-${parts.month}-${parts.day}`;
  };
  if (formats.size < 1000) formats.set(timeZone, localDate);
  return localDate;
}

function makeFormat(timeZone: unknown): Intl.DateTimeFormat {
  try {
    // Intl also takes offsets like "+05:37" (off the grid) and `undefined` (the machine's own zone): neither is a name.
    if (typeof timeZone === "string" && /^[A-Za-z]/.test(timeZone)) {
      const date = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
      return new Intl.DateTimeFormat("en-US-u-ca-iso8601-nu-latn", { timeZone, ...date });
    }
  } catch {
    // Said below.
  }
  throw new SpanloomError("invalid_time_zone", {
    what: `"${String(timeZone).slice(0, 60)}" is not a time zone.`,
    why: "It is not in the IANA time zone database of this JavaScript engine.",
    fix: 'Use a name like "Europe/Berlin" or "UTC".',
  });
}

function utcMidnight(day: unknown): number {
  const millis = typeof day === "string" && /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(day) : Number.NaN;
  if (Number.isFinite(millis) && dayName(millis / 1000) === day && day >= "1970-01-01" && day <= LAST_DAY) {
    return millis / 1000;
  }
  throw new SpanloomError("invalid_argument", {
    what: `"${String(day).slice(0, 40)}" is not a day.`,
    why: `The last day must be a date from 1970-01-01 to ${LAST_DAY}.`,
    fix: "Write it as YYYY-MM-DD, or leave it out for today.",
  });
}

function dayName(utcSeconds: number): string {
  return new Date(utcSeconds * 1000).toISOString().slice(0, 10);
}
