import { SpanloomError } from "./errors.ts";

/**
 * A point in time: Unix nanoseconds as a decimal string without leading zeros, as in OTLP/JSON.
 * A string, because nanoseconds do not fit a JSON number.
 */
export type UnixNanos = string;

const NANOS = /^(0|[1-9]\d{0,18})$/;
const MAX_NANOS = 9_223_372_036_854_775_807n;

/** True for a decimal string between 0 and the greatest int64. */
export function isUnixNanos(value: unknown): value is UnixNanos {
  return typeof value === "string" && NANOS.test(value) && (value.length < 19 || BigInt(value) <= MAX_NANOS);
}

/** Orders two times: negative when `a` is earlier. Needs no BigInt: digits without leading zeros order by length, then text. */
export function compareNanos(a: UnixNanos, b: UnixNanos): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

/** `end - start` in milliseconds with fractions; negative where clocks disagree. The nearest double for spans under 104 days. */
export function millisBetween(start: UnixNanos, end: UnixNanos): number {
  return ((microsOf(end) - microsOf(start)) * 1e3 + (nanosRest(end) - nanosRest(start))) / 1e6;
}

/** Whole microseconds since the epoch, a safe integer until the year 2255. */
export function microsOf(time: UnixNanos): number {
  return time.length > 3 ? Number(time.slice(0, -3)) : 0;
}

/** The last three digits: nanoseconds beyond the whole microsecond. */
export function nanosRest(time: UnixNanos): number {
  return Number(time.slice(-3));
}

/** Joins what {@link microsOf} and {@link nanosRest} took apart. */
export function nanosFromMicros(micros: number, rest = 0): UnixNanos {
  return micros === 0 ? String(rest) : `${micros}${String(rest).padStart(3, "0")}`;
}

/** Milliseconds since the epoch (as `Date.now()` gives, fractions allowed) as nanoseconds. */
export function nanosFromMillis(millis: number): UnixNanos {
  const whole = Math.floor(millis);
  const rest = Math.round((millis - whole) * 1e6);
  return (BigInt(whole) * 1_000_000n + BigInt(rest)).toString();
}

/** Milliseconds since the epoch, fractions kept as far as a double can. */
export function millisOf(time: UnixNanos): number {
  return microsOf(time) / 1e3 + nanosRest(time) / 1e6;
}

/** RFC 3339 in UTC with nine fractional digits: `2026-11-21T09:30:00.000000001Z`. */
export function nanosToRfc3339(time: UnixNanos): string {
  const padded = time.padStart(10, "0");
  const seconds = Number(padded.slice(0, -9));
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${padded.slice(-9)}Z`;
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

/** Reads RFC 3339 with up to nine fractional digits and any offset. Throws `invalid_time`. */
export function rfc3339ToNanos(text: string): UnixNanos {
  const [, local = "", fraction = "", offset = ""] = RFC3339.exec(text.toUpperCase()) ?? [];
  const millis = Date.parse(`${local}${offset}`);
  if (isCalendarTime(local) && millis >= 0) {
    const nanos = (BigInt(millis / 1000) * 1_000_000_000n + BigInt(fraction.padEnd(9, "0"))).toString();
    if (isUnixNanos(nanos)) return nanos;
  }
  throw new SpanloomError("invalid_time", {
    what: `"${text.slice(0, 40)}" is not a time.`,
    why: "A time is RFC 3339 with up to nine fractional digits, from 1970 to April 2262.",
    fix: 'Write it like "2026-11-21T09:30:00.000000001Z".',
  });
}

/** `Date.parse` takes 30 February for 2 March. */
function isCalendarTime(local: string): boolean {
  const millis = Date.parse(`${local}Z`);
  return Number.isFinite(millis) && new Date(millis).toISOString().startsWith(local);
}
