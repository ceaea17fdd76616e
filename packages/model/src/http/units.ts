import { nanoUsdFromUsd, usdFromNanoUsd } from "../cost.ts";
import { nanosToRfc3339, rfc3339ToNanos } from "../time.ts";
import type { Codec, Renamed } from "./struct.ts";

/** Times and money on the wire: RFC 3339 with nanoseconds, and USD. */

/** An hour of them. */
const KEPT_SECONDS = 3_600;

export const rfc3339: (nanos: string) => string = timeEncoder();
export const time: Codec = {
  encode: rfc3339,
  decode: (text: unknown) => {
    try {
      return typeof text === "string" ? rfc3339ToNanos(text) : text;
    } catch {
      // The check that follows names the field; `null` is no time in any schema.
      return null;
    }
  },
};
export const usd: Codec = {
  encode: (nanoUsd: number) => usdFromNanoUsd(nanoUsd),
  decode: (amount: unknown) => (typeof amount === "number" ? exactNanoUsd(amount) : amount),
};
export const money: Renamed = { wire: "usd", codec: usd };

/**
 * The integer that the amount was made from, up to 8.3 million USD: above a few million, multiplying alone is off by one.
 */
function exactNanoUsd(amount: number): number {
  const near = nanoUsdFromUsd(amount);
  return [near, near - 1, near + 1].find((nanoUsd) => usdFromNanoUsd(nanoUsd) === amount) ?? near;
}

/** The times of a page lie close together: of many, only the fraction differs. */
function timeEncoder(): (nanos: string) => string {
  const seconds = new Map<string, string>();
  return (nanos) => {
    const end = nanos.length - 9;
    if (end <= 0) return nanosToRfc3339(nanos);
    const second = nanos.slice(0, end);
    let text = seconds.get(second);
    if (text === undefined) {
      text = nanosToRfc3339(nanos).slice(0, 20);
      if (seconds.size === KEPT_SECONDS) seconds.clear();
      seconds.set(second, text);
    }
    // Joined from two parts: V8 takes longer to write out a text of three.
    const fraction = `${nanos.slice(end)}Z`;
    return text + fraction;
  };
}
