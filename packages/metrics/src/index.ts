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
export { computeRunMetrics } from "./run-metrics.ts";
export { createSpanSearch } from "./search-span.ts";
export { rootRank, segmentStatus, toSegment } from "./segments.ts";
export { compareText } from "./span-order.ts";
export { summarizeExecution } from "./summarize-execution.ts";
export { emptySums, type Sums } from "./sums.ts";
