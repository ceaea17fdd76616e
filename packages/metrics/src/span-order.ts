import { compareNanos, type SpanSkeleton } from "@spanloom/model";

/** By start, then span id; the trace id only makes the order total where an execution has one span id in two traces. */
export function compareStarts(
  a: Pick<SpanSkeleton, "traceId" | "spanId" | "startTime">,
  b: Pick<SpanSkeleton, "traceId" | "spanId" | "startTime">,
): number {
  return (
    compareNanos(a.startTime, b.startTime) ||
    compareText(a.spanId, b.spanId) ||
    compareText(a.traceId, b.traceId)
  );
}

/** By code units: what every database can do, and no locale changes. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
