import { canonicalJson } from "./json.ts";
import type { SpanRecord } from "./span.ts";

/**
 * Which of two records of the same span wins: positive when `a` does, 0 only when they are equal.
 * A real end beats a synthetic end, which beats a running state; then the higher `revision` (a start is revision 0,
 * an update a higher one); then the canonical JSON, so that the order is total and every store picks the same record.
 */
export function compareRecords(a: SpanRecord, b: SpanRecord): number {
  const byRank = phaseOf(a) - phaseOf(b) || a.revision - b.revision;
  if (byRank !== 0 || a === b) return byRank;
  const left = canonicalJson(a);
  const right = canonicalJson(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/**
 * Merges two records of one span: the whole winner, never a mix. Total, commutative, associative and idempotent, so
 * that duplicates, retries and disorder all end in the same record.
 */
export function mergeSpan(a: SpanRecord, b: SpanRecord): SpanRecord {
  return compareRecords(a, b) >= 0 ? a : b;
}

/** 0 running, 1 ended by a time-out or a lost process, 2 really ended. Stores keep it as a column. */
export function phaseOf(span: Pick<SpanRecord, "endTime" | "syntheticEnd">): 0 | 1 | 2 {
  if (span.endTime === undefined) return 0;
  return span.syntheticEnd === undefined ? 2 : 1;
}
