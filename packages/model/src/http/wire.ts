import type {
  Analytics,
  AnalyticsGroup,
  AnalyticsRow,
  AnalyticsSums,
  CostGroupSum,
  DailyCost,
  DailyCosts,
  LatencySummary,
} from "../analytics.ts";
import type { CostSum } from "../cost.ts";
import type { ExecutionDetail, ExecutionSummary, NodeSummary, Segment } from "../execution.ts";
import type { WriteReceipt } from "../ports/span-sink.ts";
import type { PanelConfig, TraceChanges, TracePage } from "../ports/trace-reader.ts";
import type { KeyspaceMetrics, RunMetrics, StageMetrics } from "../run-metrics.ts";
import type { SearchHit, SpanMatch, SpanMatches } from "../search.ts";
import type { SpanRecord, SpanSkeleton } from "../span.ts";
import type { UsageSum } from "../usage.ts";
import { type Codec, list, type Struct, struct } from "./struct.ts";
import { money, time } from "./units.ts";
import { encodeSpanUsage, wireSkeleton, wireSpan } from "./wire-span.ts";

/**
 * The JSON of REST: snake_case, times in RFC 3339 with nanoseconds, money in USD. One definition for both ends.
 * Keys of attributes, states and tool arguments are the host's and stay as they are.
 */

const knownCounts = struct<UsageSum["known"]>({
  input: true,
  output: true,
  cachedInput: true,
  cacheWrite: true,
  reasoning: true,
  total: true,
});
const usageSum = struct<UsageSum>({
  items: true,
  input: true,
  output: true,
  cachedInput: true,
  cacheWrite: true,
  reasoning: true,
  total: true,
  known: knownCounts,
});
const costSum = struct<CostSum>({ nanoUsd: money, priced: true, unpriced: true });

const summaryFields = {
  executionId: true,
  workflowId: true,
  workflowName: true,
  threadId: true,
  status: true,
  rootSpanId: true,
  traceIds: true,
  startTime: time,
  endTime: time,
  durationMs: true,
  spanCount: true,
  openSpanCount: true,
  errorCount: true,
  nodeCount: true,
  usage: usageSum,
  cost: costSum,
  environment: true,
  service: true,
  serviceVersion: true,
  seq: true,
} as const;

export const wireExecution: Struct<ExecutionSummary> = struct<ExecutionSummary>(summaryFields);

const segment = struct<Segment>({
  traceId: true,
  rootSpanId: true,
  status: true,
  startTime: time,
  endTime: time,
});
const node = struct<NodeSummary>({
  nodeId: true,
  nodeType: true,
  status: true,
  attempts: true,
  spanCount: true,
  errorCount: true,
  startTime: time,
  endTime: time,
  usage: usageSum,
  cost: costSum,
});
export const wireExecutionDetail: Struct<ExecutionDetail> = struct<ExecutionDetail>({
  ...summaryFields,
  segments: list(segment),
  nodes: list(node),
  outsideNodes: struct<ExecutionDetail["outsideNodes"]>({ usage: usageSum, cost: costSum }),
});

export const wireTraceChanges: Struct<TraceChanges> = struct<TraceChanges>({
  execution: wireExecution,
  spans: list(wireSkeleton),
  removed: list(struct<{ traceId: string; spanId: string }>({ traceId: true, spanId: true })),
  seq: true,
  more: true,
});

/** The trace response carries, beside the page itself, what REST users ask of it: ids, artifacts and tokens. */
export function encodeTracePage(page: TracePage, view: "skeleton" | "full"): Record<string, unknown> {
  const encode = (view === "full" ? wireSpan : wireSkeleton).encode as (span: SpanSkeleton) => WireSpan;
  const spans: WireSpan[] = [];
  const artifacts: Record<string, unknown>[] = [];
  const bySpan: Record<string, unknown>[] = [];
  for (const span of page.spans) {
    const encoded = encode(span);
    spans.push(encoded);
    if (span.usage !== undefined) bySpan.push(encodeSpanUsage(span.spanId, span.usage));
    for (const item of encoded.artifacts ?? []) artifacts.push({ ...item, span_id: span.spanId });
  }
  return {
    execution: wireExecution.encode(page.execution),
    trace_id: page.execution.traceIds.at(-1),
    spans,
    artifacts,
    tokens: { total: usageSum.encode(page.execution.usage), by_span: bySpan },
    page_info: {
      as_of_seq: page.asOfSeq,
      span_count: page.spanCount,
      ...(page.nextCursor !== undefined && { next_cursor: page.nextCursor }),
    },
  };
}

/** The body of `writeSpans`. */
export function encodeSpans(spans: readonly SpanRecord[]): { spans: Record<string, unknown>[] } {
  return { spans: spans.map(wireSpan.encode) };
}

/** What the trace response says twice: at the span, and for all spans together. */
interface WireSpan extends Record<string, unknown> {
  artifacts?: Record<string, unknown>[];
}

const keyspace = struct<KeyspaceMetrics>({ keyspace: true, hits: true, misses: true, ratio: true });
const stage = struct<StageMetrics>({
  nodeId: true,
  name: true,
  nodeType: true,
  status: true,
  startTime: time,
  endTime: time,
  elapsedMs: true,
  attempts: true,
  usage: usageSum,
  cost: costSum,
  traceId: true,
});
export const wireRunMetrics: Struct<RunMetrics> = struct<RunMetrics>({
  executionId: { wire: "run_id", codec: true },
  workflowId: true,
  workflowName: true,
  status: true,
  startTime: time,
  endTime: time,
  usage: usageSum,
  cost: costSum,
  stages: list(stage),
  mcpCache: struct<NonNullable<RunMetrics["mcpCache"]>>({
    keyspaces: list(keyspace),
    hits: true,
    misses: true,
    ratio: true,
  }),
  seq: true,
});

export const wireDailyCosts: Struct<DailyCosts> = struct<DailyCosts>({
  timeZone: true,
  groupBy: true,
  days: list(
    struct<DailyCost>({
      day: true,
      startTime: time,
      endTime: time,
      usage: usageSum,
      cost: costSum,
      groups: list(struct<CostGroupSum>({ key: true, usage: usageSum, cost: costSum })),
    }),
  ),
});

const latency = struct<LatencySummary>({ count: true, p50Ms: true, p95Ms: true, p99Ms: true });
const analyticsSums = {
  executions: struct<NonNullable<AnalyticsSums["executions"]>>({ total: true, byStatus: true }),
  usage: usageSum,
  cost: costSum,
  latency,
} as const;
/** As in the query string. */
const analyticsGroup: Codec = {
  encode: (group: AnalyticsGroup) => (group === "nodeType" ? "node_type" : group),
  decode: (wire: unknown) => (wire === "node_type" ? "nodeType" : wire),
};

export const wireAnalytics: Struct<Analytics> = struct<Analytics>({
  timeZone: true,
  groupBy: analyticsGroup,
  startTime: time,
  endTime: time,
  total: struct<AnalyticsSums>(analyticsSums),
  groups: list(struct<AnalyticsRow>({ key: true, ...analyticsSums })),
});

export const wireSpanMatches: Struct<SpanMatches> = struct<SpanMatches>({
  items: list(
    struct<SpanMatch>({
      traceId: true,
      spanId: true,
      hits: list(struct<SearchHit>({ place: true, key: true, snippet: true })),
    }),
  ),
  asOfSeq: true,
  nextCursor: true,
  contentWithheld: true,
});

export const wireWriteReceipt: Struct<WriteReceipt> = struct<WriteReceipt>({
  written: true,
  unchanged: true,
  rejected: true,
});

export const wirePanelConfig: Struct<PanelConfig> = struct<PanelConfig>({
  roles: true,
  links: true,
  environment: true,
  service: true,
  serviceVersion: true,
  contentPermitted: true,
});
