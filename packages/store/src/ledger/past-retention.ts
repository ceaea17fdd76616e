import { isUnnamed } from "@spanloom/metrics";
import { compareNanos, type SpanRecord, type UnixNanos } from "@spanloom/model";
import type { AdmittedRecord } from "./admit.ts";

/** What the younger records of a write bring, so that the older ones among them have something to join. */
export interface Freshness {
  joins(record: SpanRecord): boolean;
}

/** The record began and ended, or began and still runs, before that time. */
export function isPast({ startTime, endTime }: SpanRecord, watermark: UnixNanos): boolean {
  const early = compareNanos(startTime, watermark) < 0;
  return early && (endTime === undefined || compareNanos(endTime, watermark) < 0);
}

export function freshnessOf(records: readonly AdmittedRecord[], watermark: UnixNanos): Freshness {
  const executions = new Set<string>();
  const traces = new Set<string>();
  const unnamed = new Set<string>();
  for (const { record } of records) {
    if (isPast(record, watermark)) continue;
    traces.add(record.traceId);
    if (isUnnamed(record)) unnamed.add(record.traceId);
    else executions.add(record.executionId);
  }
  return {
    joins: (record) =>
      isUnnamed(record)
        ? traces.has(record.traceId)
        : executions.has(record.executionId) || unnamed.has(record.traceId),
  };
}
