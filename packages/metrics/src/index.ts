// Answers: executions, runs, days. Rules that adapters share: names, roots, segments, order, sums.
export { AnalyticsDraft, AnalyticsRowDraft, computeAnalytics } from "./analytics.ts";
export { type CostItem, computeDailyCosts, costItems, modelKey, toDailyCost } from "./daily-costs.ts";
export {
  compareNaming,
  currentSpans,
  isUnnamed,
  type NamingSpan,
  namingRank,
  namingSpan,
} from "./effective-execution.ts";
export {
  type ExecutionStats,
  executionStats,
  type LatencySlots,
  type MeasuredSpan,
  QUARTER_SECONDS,
  quarterOf,
} from "./execution-stats.ts";
export { LatencyHistogram, latencySlot } from "./latency-histogram.ts";
export { type LocalDay, localDays } from "./local-days.ts";
export {
  compareAttempts,
  compareNodes,
  NodeCollector,
  type NodeFacts,
  type NodeTotals,
  toNodeTotals,
} from "./node-totals.ts";
export { computeRunMetrics, runMetricsOf } from "./run-metrics.ts";
export { createSpanSearch } from "./search-span.ts";
export { searchTrace } from "./search-trace.ts";
export { rootRank, segmentRoots, segmentStatus, toSegment } from "./segments.ts";
export { compareStarts, compareText } from "./span-order.ts";
export {
  type ExecutionFrame,
  executionFrame,
  orderTraces,
  type SpanExtremes,
  summarizeExecution,
} from "./summarize-execution.ts";
export type { SummedSpan } from "./summed-span.ts";
export { emptySums, type Sums } from "./sums.ts";
