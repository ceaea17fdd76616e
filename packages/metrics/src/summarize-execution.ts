import {
  bearsBelow,
  compareNanos,
  type ExecutionDetail,
  millisBetween,
  RESOURCE,
  type UnixNanos,
} from "@spanloom/model";
import { NodeCollector, type NodeTotals } from "./node-totals.ts";
import { segmentRoots, toSegment } from "./segments.ts";
import { compareText } from "./span-order.ts";
import type { SummedSpan } from "./summed-span.ts";
import { addContribution, countedOf, emptySums } from "./sums.ts";

/**
 * What the spans of one execution say about it.
 *
 * @param spans Every span of the execution's traces, each once and with its effective execution id, as
 *   `currentSpans` gives them. Those of other executions are not summed, but what they bear decides what counts above them.
 * @param below What `bearsBelow` gives for those spans. Whoever has it passes it, and may then leave other executions' spans out.
 */
export function summarizeExecution(
  executionId: string,
  spans: readonly SummedSpan[],
  seq: number,
  below: ReadonlyMap<string, number> = bearsBelow(spans),
): ExecutionDetail {
  return foldExecution(executionId, spans, seq, below).detail;
}

/** The summary, and what run metrics need besides: computed once, so that both always agree. */
export function foldExecution(
  executionId: string,
  spans: readonly SummedSpan[],
  seq: number,
  below: ReadonlyMap<string, number>,
): { detail: ExecutionDetail; nodes: NodeTotals[]; own: SummedSpan[] } {
  const own = spans.filter((span) => span.executionId === executionId);
  const roots = segmentRoots(own);
  const collector = new NodeCollector();
  const totals = emptySums();
  const outsideNodes = emptySums();
  const traces = new Set<string>();
  let openSpanCount = 0;
  let errorCount = 0;
  let firstStart: UnixNanos | undefined;
  let lastEnd: UnixNanos | undefined;
  for (const span of own) {
    traces.add(span.traceId);
    const { startTime, endTime } = span;
    if (firstStart === undefined || compareNanos(startTime, firstStart) < 0) firstStart = startTime;
    if (endTime !== undefined && (lastEnd === undefined || compareNanos(endTime, lastEnd) > 0)) {
      lastEnd = endTime;
    }
    if (span.endTime === undefined) openSpanCount++;
    if (span.status.code === "error") errorCount++;
    const contribution = countedOf(span, below);
    addContribution(totals, contribution);
    if (span.nodeId === undefined) addContribution(outsideNodes, contribution);
    else collector.add(span.nodeId, span, contribution);
  }
  const nodes = collector.totals();
  const detail: ExecutionDetail = {
    executionId,
    ...executionFrame(roots, { openSpanCount, errorCount, firstStart, lastEnd }),
    traceIds: orderTraces(roots, traces),
    spanCount: own.length,
    openSpanCount,
    errorCount,
    nodeCount: nodes.length,
    ...totals,
    seq,
    segments: roots.map(toSegment),
    nodes: nodes.map((node) => node.summary),
    outsideNodes,
  };
  return { detail, nodes, own };
}

/** What segments say about an execution. */
export type ExecutionFrame = Pick<
  ExecutionDetail,
  | "workflowId"
  | "workflowName"
  | "threadId"
  | "status"
  | "rootSpanId"
  | "startTime"
  | "endTime"
  | "durationMs"
  | "environment"
  | "service"
  | "serviceVersion"
>;

/** What stands in for a root where only orphans have come so far. */
export interface SpanExtremes {
  openSpanCount: number;
  errorCount: number;
  /** Least start and greatest end of any span. */
  firstStart: UnixNanos | undefined;
  lastEnd: UnixNanos | undefined;
}

/**
 * The first segment says what ran and since when, the latest what became of it.
 *
 * @param roots As `segmentRoots` gives them.
 */
export function executionFrame(roots: readonly SummedSpan[], extremes: SpanExtremes): ExecutionFrame {
  const first = roots[0];
  const latest = roots.at(-1);
  if (first === undefined || latest === undefined) return orphanFrame(extremes);
  const { status, endTime } = toSegment(latest);
  const attributes = first.resource.attributes;
  return present({
    workflowId: first.workflowId,
    workflowName: first.workflowName,
    threadId: first.threadId,
    status,
    rootSpanId: first.spanId,
    startTime: first.startTime,
    endTime,
    durationMs: endTime === undefined ? undefined : millisBetween(first.startTime, endTime),
    environment: text(attributes[RESOURCE.environment]) ?? text(attributes[RESOURCE.environmentOld]),
    service: text(attributes[RESOURCE.serviceName]),
    serviceVersion: text(attributes[RESOURCE.serviceVersion]),
  });
}

/** Only orphans so far: their extremes stand in for a root. An execution without spans has no start; it says 0. */
function orphanFrame({ openSpanCount, errorCount, firstStart, lastEnd }: SpanExtremes): ExecutionFrame {
  const open = openSpanCount > 0;
  const end = open ? undefined : lastEnd;
  return present({
    status: open ? ("running" as const) : errorCount > 0 ? ("failed" as const) : ("completed" as const),
    startTime: firstStart ?? "0",
    endTime: end,
    durationMs: end === undefined || firstStart === undefined ? undefined : millisBetween(firstStart, end),
  });
}

/** Traces of the segments in their order, then the others by id. */
export function orderTraces(roots: readonly SummedSpan[], traces: Iterable<string>): string[] {
  const ofSegments = new Set(roots.map((root) => root.traceId));
  return [...ofSegments, ...[...traces].filter((id) => !ofSegments.has(id)).sort(compareText)];
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Unknown members are left out, not set to `undefined`. */
function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}
