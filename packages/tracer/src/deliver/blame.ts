import { isSpanloomError } from "@spanloom/model";
import type { Outcome } from "./isolate.ts";

/** What is read of an error here never throws: a host's store may reject with anything, also with getters that throw. */
function reading<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** Whether a failed write speaks of the records themselves. */
export function blamesRecords(error: unknown): boolean {
  return reading(() => isBlame(error), false);
}

/**
 * Whether a failure may lie in a record at all. A full disk or a lost connection never does, even when a smaller batch
 * happens to get through; of an error that nobody knows, repeated, it cannot be ruled out.
 */
export function outcomeOf(error: unknown): Outcome {
  return reading(() => {
    if (isSpanloomError(error)) return isBlame(error) || error.code === "store_failed" ? "refused" : "outage";
    return isSystemError(error) || (error instanceof Error && isSystemError(error.cause))
      ? "outage"
      : "refused";
  }, "refused");
}

/** An error may say how long to stay away, as an HTTP `Retry-After` does. In milliseconds, at most five minutes. */
export function retryAfterOf(error: unknown): number | undefined {
  return reading(() => {
    if (typeof error !== "object" || error === null || !("retryAfterMs" in error)) return undefined;
    const { retryAfterMs } = error;
    return typeof retryAfterMs === "number" && retryAfterMs > 0 ? Math.min(retryAfterMs, 300_000) : undefined;
  }, undefined);
}

function isBlame(error: unknown): boolean {
  return isSpanloomError(error) && (error.code === "invalid_record" || error.code === "limit_exceeded");
}

/** `ENOSPC`, `ECONNREFUSED`, `EIO` and their like. */
function isSystemError(error: unknown): boolean {
  if (typeof error !== "object" || error === null || !("code" in error)) return false;
  return typeof error.code === "string" && /^E[A-Z0-9]{2,}$/.test(error.code);
}
