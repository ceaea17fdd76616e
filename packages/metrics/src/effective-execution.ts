import { mergeSpan, parentOf, type SpanRecord, spanKey } from "@spanloom/model";
import { compareStarts } from "./span-order.ts";

/**
 * Late names: spans may arrive before anyone knows their execution; until then their `executionId` is their `traceId`.
 * As soon as some span of the trace carries another one, every unnamed span of the trace belongs to it.
 */

/** What decides which named span of a trace gives the unnamed ones their execution. */
export type NamingSpan = Pick<
  SpanRecord,
  "traceId" | "spanId" | "parentSpanId" | "executionId" | "executionStatus" | "startTime"
>;

/** True for a record whose execution nobody has named yet. */
export function isUnnamed(span: Pick<SpanRecord, "traceId" | "executionId">): boolean {
  return span.executionId === span.traceId;
}

/** Which of two named spans of a trace is asked first: segment roots (0), then parentless spans (1), then others (2). */
export function namingRank(span: NamingSpan): 0 | 1 | 2 {
  if (span.executionStatus !== undefined) return 0;
  return parentOf(span) === undefined ? 1 : 2;
}

/** The least named span of a trace gives the name: by {@link namingRank}, start, span id. */
export function compareNaming(a: NamingSpan, b: NamingSpan): number {
  return namingRank(a) - namingRank(b) || compareStarts(a, b);
}

/** The span that names the execution of a trace's unnamed spans; `undefined` while none is named. */
export function namingSpan<S extends NamingSpan>(spansOfTrace: Iterable<S>): S | undefined {
  let least: S | undefined;
  for (const span of spansOfTrace) {
    if (!isUnnamed(span) && (least === undefined || compareNaming(span, least) < 0)) least = span;
  }
  return least;
}

/**
 * What is kept of any history of records: the winner of each span, carrying its effective `executionId`. Order and
 * repetition of the records change nothing. Winners that keep their id are the records given, the others are copies.
 */
export function currentSpans(records: Iterable<SpanRecord>): SpanRecord[] {
  const winners = new Map<string, SpanRecord>();
  for (const record of records) {
    const key = spanKey(record);
    const held = winners.get(key);
    winners.set(key, held === undefined ? record : mergeSpan(held, record));
  }
  const names = new Map<string, SpanRecord>();
  for (const span of winners.values()) {
    if (isUnnamed(span)) continue;
    const least = names.get(span.traceId);
    if (least === undefined || compareNaming(span, least) < 0) names.set(span.traceId, span);
  }
  return Array.from(winners.values(), (span) => {
    const executionId = isUnnamed(span) ? names.get(span.traceId)?.executionId : undefined;
    return executionId === undefined ? span : { ...span, executionId };
  });
}
