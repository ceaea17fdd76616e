import { createHash } from "node:crypto";

/**
 * The number of an advisory lock, as SQL. Two names with the same number would only wait for each other.
 *
 * Source: https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
export function lockOf(...names: string[]): string {
  return digestOf(names).readBigInt64BE().toString();
}

/** The channel on which the stores of a schema tell each other what changed. */
export function channelOf(schema: string): string {
  return `spanloom_${digestOf([schema]).toString("hex", 0, 8)}`;
}

/** 128 bits of a text, as a UUID. */
export function hashOf(text: string): string {
  return digestOf([text]).toString("hex", 0, 16);
}

function digestOf(names: readonly string[]): Buffer {
  return createHash("sha256").update(JSON.stringify(names)).digest();
}
