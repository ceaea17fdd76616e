import type { Analytics, AnalyticsQuery, DailyCosts, DailyCostsQuery } from "../analytics.ts";
import type { ExecutionDetail, ExecutionStatus, ExecutionSummary } from "../execution.ts";
import type { Page } from "../page.ts";
import type { RunMetrics } from "../run-metrics.ts";
import type { SearchSpansQuery, SpanMatches } from "../search.ts";
import type { SpanRecord, SpanSkeleton } from "../span.ts";
import type { UnixNanos } from "../time.ts";

export const EXECUTION_SORTS = [
  "startTime",
  "workflowName",
  "status",
  "durationMs",
  "cost",
  "nodeCount",
  "spanCount",
] as const;
export type ExecutionSort = (typeof EXECUTION_SORTS)[number];

export interface ListExecutionsQuery {
  workflowId?: string;
  /** Any of these. */
  status?: ExecutionStatus[];
  threadId?: string;
  /** Started at or after. */
  from?: UnixNanos;
  /** Started before. */
  to?: UnixNanos;
  /** Part of the execution id, workflow id or workflow name, without regard to case. */
  text?: string;
  /** `startTime`, newest first, where absent. Unknown values come last in either direction. */
  sort?: { by: ExecutionSort; direction: "asc" | "desc" };
  cursor?: string;
  /** 1 to 500, 50 where absent. */
  limit?: number;
}

export interface GetTraceQuery {
  /** Page through the trace as it stood at this commit; the current one where absent. */
  asOfSeq?: number;
  cursor?: string;
  /**
   * 1 to 10,000; 500 full spans or 10,000 skeletons where absent. A page may hold fewer spans than asked for when they
   * are large, but at least one: follow `nextCursor`. The stores of `@spanloom/store` end a page at 8,000,000 characters
   * of JSON.
   */
  limit?: number;
  /** `skeleton` (default): what tree and totals need. `full`: everything, content as stored. */
  view?: "skeleton" | "full";
}

/** Spans in pre-order, parents before children. The client builds the tree, so a page needs no other page. */
export interface TracePage<S extends SpanSkeleton = SpanSkeleton> {
  execution: ExecutionSummary;
  spans: S[];
  /** The commit that all pages of this reading show. `changesSince` continues from it. */
  asOfSeq: number;
  /** All spans of the execution at `asOfSeq`. */
  spanCount: number;
  nextCursor?: string;
}

/** Spans that changed after a commit, in the order of their commits. */
export interface TraceChanges {
  execution: ExecutionSummary;
  spans: SpanSkeleton[];
  /** Spans that went to another execution or were deleted. */
  removed: { traceId: string; spanId: string }[];
  /** Everything up to this commit is in here or was before: ask again from it. */
  seq: number;
  /** More changes wait: ask again at once. */
  more: boolean;
}

/** Reads of one scope. What is not there is `undefined`, never an error; nothing of another scope can be seen. */
export interface TraceReader {
  listExecutions(query?: ListExecutionsQuery): Promise<Page<ExecutionSummary>>;
  /** In the order asked for; unknown ids are left out. At most 500. */
  getExecutions(executionIds: readonly string[]): Promise<ExecutionSummary[]>;
  getExecution(executionId: string): Promise<ExecutionDetail | undefined>;
  getTrace(
    executionId: string,
    query: GetTraceQuery & { view: "full" },
  ): Promise<TracePage<SpanRecord> | undefined>;
  getTrace(executionId: string, query?: GetTraceQuery): Promise<TracePage | undefined>;
  /** One span with its content. `traceId` only where the execution has the same span id in two traces. */
  getSpan(executionId: string, spanId: string, traceId?: string): Promise<SpanRecord | undefined>;
  /**
   * Live views, polling and stream resume stand on this. `seq` 0 gives everything. At most `limit` (500) spans, fewer
   * when they are large, as in pages: `more` tells.
   */
  changesSince(
    executionId: string,
    seq: number,
    options?: { limit?: number },
  ): Promise<TraceChanges | undefined>;
  /** Spans of one execution in which a text stands, and where. */
  searchSpans(executionId: string, query: SearchSpansQuery): Promise<SpanMatches | undefined>;
  getRunMetrics(executionId: string): Promise<RunMetrics | undefined>;
  getDailyCosts(query: DailyCostsQuery): Promise<DailyCosts>;
  getAnalytics(query: AnalyticsQuery): Promise<Analytics>;
  /** Calls `wake` after a commit to the execution: a faster reason to ask `changesSince`, no promise. Returns the way to stop. */
  watch?(executionId: string, wake: () => void): () => void;
  /**
   * Changes as they come, from a reader that streams them over a network. Ends with the signal; throws when the
   * connection is lost, and is then called again with the last `seq`.
   */
  follow?(executionId: string, seq: number, signal: AbortSignal): AsyncIterable<TraceChanges>;
  /** What the caller's role may see of links and features, from a reader that stands before a server. */
  getConfig?(): Promise<PanelConfig>;
}

/** What a host's panels may offer this caller. */
export interface PanelConfig {
  roles: string[];
  /** Link templates; absent where the caller may not follow them. */
  links?: {
    /** Opens the run's dashboard. `{run_id}`, `{workflow_id}`, `{start_ms}`, `{end_ms}` are filled in, URL-encoded. */
    run?: { label: string; template: string };
    /** Opens a trace. `{trace_id}`, `{start_ms}`, `{end_ms}` are filled in. */
    trace?: { label: string; template: string };
  };
  environment?: string;
  service?: string;
  serviceVersion?: string;
  /** Whether content (prompts, responses, state) may be seen. */
  contentPermitted: boolean;
}
