import { type ExecutionStatus, isTerminal, parentOf, type Segment, type SpanRecord } from "@spanloom/model";
import { compareStarts } from "./span-order.ts";
import type { SummedSpan } from "./summed-span.ts";

/**
 * The roots of an execution's segments, in order. Spans with `executionStatus` are roots because their tracer says so,
 * and then the only ones; else each trace has one: its least span by (kind `workflow` first, then parentless; start,
 * span id). Empty when there are only orphans.
 */
export function segmentRoots<S extends SummedSpan>(spans: Iterable<S>): S[] {
  const said: S[] = [];
  const guessed = new Map<string, S>();
  for (const span of spans) {
    if (span.executionStatus !== undefined) said.push(span);
    else if (rootRank(span) !== undefined) {
      const least = guessed.get(span.traceId);
      if (least === undefined || compareRoots(span, least) < 0) guessed.set(span.traceId, span);
    }
  }
  return (said.length > 0 ? said : [...guessed.values()]).sort(compareStarts);
}

/** How well a span serves as the root of a trace in which no tracer names one: 0 best, 1, `undefined` not at all. */
export function rootRank(span: Pick<SpanRecord, "kind" | "spanId" | "parentSpanId">): 0 | 1 | undefined {
  if (span.kind === "workflow") return 0;
  return parentOf(span) === undefined ? 1 : undefined;
}

/** What became of the segment whose root this is. */
export function segmentStatus(
  root: Pick<SpanRecord, "endTime" | "syntheticEnd" | "executionStatus" | "status">,
): ExecutionStatus {
  const { endTime, syntheticEnd, executionStatus } = root;
  if (endTime === undefined) {
    return executionStatus === undefined || isTerminal(executionStatus) ? "running" : executionStatus;
  }
  if (syntheticEnd !== undefined) return syntheticEnd === "process_lost" ? "lost" : "failed";
  return executionStatus ?? (root.status.code === "error" ? "failed" : "completed");
}

export function toSegment(root: SummedSpan): Segment {
  return {
    traceId: root.traceId,
    rootSpanId: root.spanId,
    status: segmentStatus(root),
    startTime: root.startTime,
    ...(root.endTime !== undefined && { endTime: root.endTime }),
  };
}

function compareRoots(a: SummedSpan, b: SummedSpan): number {
  return (rootRank(a) ?? 2) - (rootRank(b) ?? 2) || compareStarts(a, b);
}
