import { millisOf, type NanoUsd, type UnixNanos, usdFromNanoUsd } from "@spanloom/model";
import type { coreMessages } from "../messages/core-messages.ts";
import type { MessageKey, Translate } from "../messages/messages.ts";

/** Values as a reader sees them. `undefined` is unknown and says so; it is never shown as 0. */
export interface Format {
  /** `84 ms`, `2.1 s`, `3 m 12 s`, `1 h 02 m`. */
  duration(ms: number | undefined): string;
  /** `12.4k`. */
  tokens(count: number | undefined): string;
  /** `12,431`. */
  count(count: number | undefined): string;
  /** US dollars: cents and up with two to four decimals, below a cent with two significant figures. */
  cost(nanoUsd: NanoUsd | undefined): string;
  /** US dollars with every digit that is known. */
  costExact(nanoUsd: NanoUsd | undefined): string;
  /** `14:02:11.482`. */
  time(at: UnixNanos | undefined): string;
  /** `20 Nov 14:02:11`. */
  dateTime(at: UnixNanos | undefined): string;
  /** `3 minutes ago`. `now` in milliseconds since the epoch. */
  relative(atMs: number | undefined, now: number): string;
  /** `62.5%`; of a ratio from 0 to 1. */
  percent(ratio: number | undefined): string;
  /** `20 Nov`, of `2026-11-20`. */
  day(day: string): string;
}

export function createFormat(
  t: Translate<MessageKey<typeof coreMessages>>,
  locale: string | undefined,
  timeZone: string,
): Format {
  const unknown = t("value.unknown");
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const oneDecimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const money = (options: Intl.NumberFormatOptions): Intl.NumberFormat =>
    new Intl.NumberFormat(locale, {
      style: "currency",
      currency: "USD",
      currencyDisplay: "narrowSymbol",
      ...options,
    });
  const dollars = money({ minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const cents = money({ minimumFractionDigits: 2, maximumFractionDigits: 4 });
  const small = money({ minimumSignificantDigits: 2, maximumSignificantDigits: 2 });
  const exact = money({ minimumFractionDigits: 2, maximumFractionDigits: 9 });
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  const clock = {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZone,
  } as const;
  const time = new Intl.DateTimeFormat(locale, { ...clock, fractionalSecondDigits: 3 });
  const dateTime = new Intl.DateTimeFormat(locale, { ...clock, day: "numeric", month: "short" });
  const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "always" });

  return {
    duration(ms) {
      if (ms === undefined) return unknown;
      if (Math.abs(ms) < 1) return t("unit.ms", { value: oneDecimal.format(ms) });
      if (Math.abs(ms) < 999.5) return t("unit.ms", { value: whole.format(ms) });
      if (ms < 59_950) return t("unit.s", { value: oneDecimal.format(ms / 1000) });
      const seconds = Math.round(ms / 1000);
      if (seconds < 3600)
        return t("unit.minutes", { minutes: Math.floor(seconds / 60), seconds: seconds % 60 });
      const minutes = Math.round(seconds / 60);
      if (minutes < 1440) {
        return t("unit.hours", {
          hours: Math.floor(minutes / 60),
          minutes: String(minutes % 60).padStart(2, "0"),
        });
      }
      const hours = Math.round(minutes / 60);
      return t("unit.days", { days: Math.floor(hours / 24), hours: hours % 24 });
    },
    tokens(count) {
      if (count === undefined) return unknown;
      if (count < 1_000) return whole.format(count);
      if (count < 999_950) return t("unit.thousand", { value: oneDecimal.format(count / 1e3) });
      if (count < 999_950_000) return t("unit.million", { value: oneDecimal.format(count / 1e6) });
      return t("unit.billion", { value: oneDecimal.format(count / 1e9) });
    },
    count: (count) => (count === undefined ? unknown : whole.format(count)),
    cost(nanoUsd) {
      if (nanoUsd === undefined) return unknown;
      const usd = usdFromNanoUsd(nanoUsd);
      if (usd === 0 || usd >= 1) return dollars.format(usd);
      return usd >= 0.01 ? cents.format(usd) : small.format(usd);
    },
    costExact: (nanoUsd) => (nanoUsd === undefined ? unknown : exact.format(usdFromNanoUsd(nanoUsd))),
    time: (at) => (at === undefined ? unknown : time.format(millisOf(at))),
    dateTime: (at) => (at === undefined ? unknown : dateTime.format(millisOf(at))),
    relative(atMs, now) {
      if (atMs === undefined) return unknown;
      const seconds = Math.round((atMs - now) / 1000);
      if (Math.abs(seconds) < 60) return relative.format(seconds || -0, "second"); // -0 is "0 seconds ago"

      if (Math.abs(seconds) < 3600) return relative.format(Math.round(seconds / 60), "minute");
      if (Math.abs(seconds) < 86_400) return relative.format(Math.round(seconds / 3600), "hour");
      return relative.format(Math.round(seconds / 86_400), "day");
    },
    percent: (ratio) => (ratio === undefined ? unknown : percent.format(ratio)),
    day: (text) => day.format(Date.parse(`${text}T00:00:00Z`)),
  };
}
