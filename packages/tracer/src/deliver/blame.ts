import { isSpanloomError } from "@spanloom/model";
import type { Outcome } from "./isolate.ts";

/** Whether a failed write speaks of the records themselves. */
export function blamesRecords(error: unknown): boolean {
  return isSpanloomError(error) && (error.code === "invalid_record" || error.code === "limit_exceeded");
}

/**
 * Whether a failure may lie in a record at all. A full disk or a lost connection never does, even when a smaller batch
 * happens to get through; of an error that nobody knows, repeated, it cannot be ruled out.
 */
export function outcomeOf(error: unknown): Outcome {
  if (error === undefined) return "taken";
  if (isSpanloomError(error))
    return blamesRecords(error) || error.code === "store_failed" ? "refused" : "outage";
  return isSystemError(error) || (error instanceof Error && isSystemError(error.cause))
    ? "outage"
    : "refused";
}

/** For a dead letter: our own errors hold no content, and of others only the kind is told. */
export function reasonOf(error: unknown): { code: string; reason: string } {
  if (isSpanloomError(error)) return { code: error.code, reason: error.what };
  const kind = error instanceof Error ? error.name : typeof error;
  return {
    code: "rejected",
    reason: `The other end took everything but this, with an error of kind ${kind}.`,
  };
}

/** `ENOSPC`, `ECONNREFUSED`, `EIO` and their like. */
function isSystemError(error: unknown): boolean {
  if (typeof error !== "object" || error === null || !("code" in error)) return false;
  return typeof error.code === "string" && /^E[A-Z0-9]{2,}$/.test(error.code);
}
