import type { ExecutionStats } from "@spanloom/metrics";
import type { ExecutionSummary, SpanRecord, UnixNanos } from "@spanloom/model";
import type { Sums } from "../sql/sums.ts";
import type { SpanFacts } from "./facts.ts";

/** A span inside its scope. */
export interface SpanRef {
  traceId: string;
  spanId: string;
}

/** A span as a backing gives it back. */
export interface StoredSpan {
  facts: SpanFacts;
  /** Where it belongs; `facts.executionId` is what its record says. */
  executionId: string;
  /** The execution's `seq` when the span came to it, and when it last changed. */
  insSeq: number;
  seq: number;
}

/** What a backing keeps of an execution beside its spans. One that vanished or was deleted stays, for its feed. */
export interface StoredExecution {
  executionId: string;
  seq: number;
  deleted: boolean;
  /** Spans that went away, each with the `seq` of its going. */
  gone: GoneSpan[];
}

export interface GoneSpan extends SpanRef {
  seq: number;
}

/** What a backing keeps of a trace. One without a row refuses nothing. */
export interface StoredTrace {
  traceId: string;
  /** Its unnamed spans belonged to a deleted execution: later ones are refused. */
  refusesUnnamed: boolean;
}

/** Part of what a backing holds. */
export interface StoredPart {
  spans: StoredSpan[];
  executions: StoredExecution[];
  traces: StoredTrace[];
}

/** Whole traces and executions, as they are needed together. */
export interface Missing {
  traceIds: string[];
  executionIds: string[];
}

/** Everything that a backing must save after one call, in one transaction. Rows are given as they are now, sums as differences. */
export interface LedgerChanges {
  /** Spans whose record or place changed. */
  spans: ChangedSpan[];
  /** Spans that are no more. */
  removed: SpanRef[];
  /** Tombstones that came, by execution; one that is there already gets a new `seq`. */
  gone: (GoneSpan & { executionId: string })[];
  /** Tombstones that went because their span came back. */
  returned: (SpanRef & { executionId: string })[];
  executions: ChangedExecution[];
  /** Executions of which nothing is kept: no row, no feed, no tombstones, no cells. */
  forgotten: string[];
  /** What executions count for, by quarter-hour and model: their cells that changed, as they are now. */
  usage: ExecutionCell[];
  /** What the scope's usage by quarter-hour changes by. */
  rollup: UsageCell[];
  /** What the scope's analytics change by. */
  analytics: AnalyticsCell[];
  traces: StoredTrace[];
  /** What pruned executions had added to the scope's sums. It stays there, and must be told apart when sums are worked out again. */
  pruned: { rollup: UsageCell[]; analytics: AnalyticsCell[] };
}

export interface ChangedSpan extends StoredSpan {
  /** The winning record as written; absent where only the place changed. */
  readonly record: SpanRecord | undefined;
  /** The JSON of `record`, made when it is first asked for. A copy of the span lacks it. */
  readonly json: string | undefined;
}

export interface ChangedExecution {
  executionId: string;
  seq: number;
  deleted: boolean;
  /** Absent where no span is left. */
  summary?: ExecutionSummary;
  /** The latest start or end of its spans: what retention goes by. Absent where no span is left. */
  lastActivity?: UnixNanos;
  /** What it adds to analytics, now and before this change; absent where it has or had no spans. */
  stats?: ExecutionStats;
  statsBefore?: ExecutionStats;
}

/** Sums of one quarter-hour. `workflowId` and `model` are empty where spans did not say. */
export interface UsageCell {
  /** Unix seconds. */
  bucket: number;
  workflowId: string;
  /** As `modelKey` gives it. */
  model: string;
  /** As SUM_COLUMNS of `sql/sums.ts`: whole numbers, so that adding and taking away leaves no trace. */
  sums: Sums;
}

/** As {@link UsageCell}, of one execution. All sums are 0 where the cell is to go. */
export interface ExecutionCell extends UsageCell {
  executionId: string;
}

/**
 * What executions that started in one quarter-hour add to analytics.
 * - `execution`: `key` is the status, `count` how many executions;
 * - `latency`: `slot` of their duration, `key` is empty;
 * - `nodeType`: `key` is the type, `sums` its usage and cost, with `slot` -1 and `count` 0; and `slot` with `count` without sums;
 * - `model`: `key` is the model, `slot` and `count` of its calls.
 */
export interface AnalyticsCell {
  bucket: number;
  workflowId: string;
  dim: "execution" | "latency" | "nodeType" | "model";
  key: string;
  /** Of the shared histogram; -1 where the cell has no duration. */
  slot: number;
  count: number;
  /** Only of `nodeType` with slot -1. */
  sums?: Sums;
}
