// One execution

// Many executions
export {
  type CostItem,
  computeDailyCosts,
  costItems,
  modelKey,
  toDailyCost,
} from "./daily-costs.ts";
// Rules that adapters share
export {
  compareNaming,
  currentSpans,
  isUnnamed,
  type NamingSpan,
  namingRank,
  namingSpan,
} from "./effective-execution.ts";
export { type LocalDay, localDays, MAX_DAYS } from "./local-days.ts";
export { compareAttempts } from "./node-totals.ts";
export { cacheMetrics, computeRunMetrics } from "./run-metrics.ts";
export { rootRank, segmentRoots, segmentStatus, toSegment } from "./segments.ts";
export { compareStarts, compareText } from "./span-order.ts";
export { summarizeExecution } from "./summarize-execution.ts";
export { addContribution, emptySums, mergeSums, type Sums } from "./sums.ts";
