// Facts

// Answers
export {
  ANALYTICS_GROUPS,
  type Analytics,
  type AnalyticsGroup,
  type AnalyticsQuery,
  type AnalyticsRow,
  type AnalyticsSums,
  COST_GROUPS,
  type CostGroup,
  type CostGroupSum,
  type DailyCost,
  type DailyCosts,
  type DailyCostsQuery,
  type LatencySummary,
} from "./analytics.ts";
// Ids, time, keys, errors
export { GEN_AI, RESOURCE, SPANLOOM } from "./attribute-keys.ts";
export type { Attributes, AttributeValue } from "./attributes.ts";
export { plainAttribute } from "./attributes.ts";
export type {
  CaptureState,
  Content,
  ContentRef,
  JsonContent,
  Message,
  MessagePart,
  MessagesContent,
  Redaction,
  TextContent,
} from "./content.ts";
export {
  attributesWithoutContent,
  CONTENT_FIELDS,
  type ContentField,
  isModelContentEvent,
  isModelContentKey,
  NOT_PERMITTED,
  skeletonWithoutContent,
  withoutContent,
} from "./content-rule.ts";
export {
  addCost,
  type Cost,
  type CostSource,
  type CostSum,
  emptyCostSum,
  mergeCostSums,
  type NanoUsd,
  nanoUsdFromUsd,
  usdFromNanoUsd,
} from "./cost.ts";
export {
  type Bears,
  bearsBelow,
  bearsOf,
  type Contribution,
  contributionOf,
  isFee,
  parentOf,
} from "./count-once.ts";
export { isSpanloomError, SpanloomError, type SpanloomErrorCode, type SpanloomErrorParts } from "./errors.ts";
export {
  EXECUTION_STATUSES,
  type ExecutionDetail,
  type ExecutionStatus,
  type ExecutionSummary,
  isTerminal,
  type NodeSummary,
  type Segment,
} from "./execution.ts";
export { isSpanId, isTraceId, newExecutionId, newSpanId, newTraceId, traceIdToUuid } from "./ids.ts";
export { canonicalJson, isPlainObject, type JsonValue } from "./json.ts";
export { compareRecords, mergeSpan, phaseOf } from "./merge-span.ts";
export { decodeCursor, encodeCursor, invalidCursor, type Page } from "./page.ts";
// Ports
export type { BlobStore } from "./ports/blob-store.ts";
export type { ContentVault, RawContent, VaultAddress, VaultReader } from "./ports/content-vault.ts";
export type { RejectedSpan, SpanSink, WriteReceipt } from "./ports/span-sink.ts";
export {
  EXECUTION_SORTS,
  type ExecutionSort,
  type GetTraceQuery,
  type ListExecutionsQuery,
  type PanelConfig,
  type TraceChanges,
  type TracePage,
  type TraceReader,
} from "./ports/trace-reader.ts";
export type {
  PruneReport,
  PruneRequest,
  RedactReport,
  RedactRule,
  RedactSelection,
  ScopedStore,
  StoreCapabilities,
  TraceStore,
} from "./ports/trace-store.ts";
export { isJson, MAX_DEPTH, MAX_ID_LENGTH, recordProblem } from "./record-schema.ts";
export type { KeyspaceMetrics, RunMetrics, StageMetrics } from "./run-metrics.ts";
export {
  SEARCH_PLACES,
  type SearchHit,
  type SearchPlace,
  type SearchSpansQuery,
  type SpanMatch,
  type SpanMatches,
} from "./search.ts";
export {
  type Artifact,
  type CacheAccess,
  type FieldSource,
  isRunning,
  OTEL_KINDS,
  type OtelKind,
  SCHEMA_VERSION,
  SPAN_KINDS,
  type SpanEvent,
  type SpanKind,
  type SpanLink,
  type SpanRecord,
  type SpanSkeleton,
  type SpanStatus,
  type SpanStatusCode,
  type SyntheticEnd,
  spanKey,
  toSkeleton,
} from "./span.ts";
export {
  compareNanos,
  isUnixNanos,
  microsOf,
  millisBetween,
  millisOf,
  nanosFromMicros,
  nanosFromMillis,
  nanosRest,
  nanosToRfc3339,
  rfc3339ToNanos,
  type UnixNanos,
} from "./time.ts";
export {
  addUsage,
  emptyUsageSum,
  hasTokens,
  mergeUsageSums,
  TOKEN_FIELDS,
  type TokenField,
  type TokenUsage,
  totalTokens,
  type UsageSum,
} from "./usage.ts";
