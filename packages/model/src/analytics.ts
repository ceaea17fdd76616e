import type { CostSum } from "./cost.ts";
import type { ExecutionStatus } from "./execution.ts";
import type { UnixNanos } from "./time.ts";
import type { UsageSum } from "./usage.ts";

export const COST_GROUPS = ["workflow", "model"] as const;
/** How a day's cost splits: by workflow id, or by `provider/model`. */
export type CostGroup = (typeof COST_GROUPS)[number];

export interface DailyCostsQuery {
  /** How many local days, the last one included: 1 to 400. */
  days: number;
  /** IANA name, e.g. `Europe/Berlin`. Throws `invalid_time_zone` where it is unknown. */
  timeZone: string;
  /** The last local day, `YYYY-MM-DD`; today in `timeZone` where absent. */
  lastDay?: string;
  groupBy?: CostGroup;
  /** Only this workflow. */
  workflowId?: string;
}

export interface CostGroupSum {
  /** Workflow id or `provider/model`; empty where spans did not say. */
  key: string;
  usage: UsageSum;
  cost: CostSum;
}

/** What was spent on one local day, by the start of the spans that count. Days without any are there, with empty sums. */
export interface DailyCost {
  /** `YYYY-MM-DD` in the query's time zone. */
  day: string;
  /** The day's first quarter-hour; days of 23 and 25 hours are told apart by it. */
  startTime: UnixNanos;
  endTime: UnixNanos;
  usage: UsageSum;
  cost: CostSum;
  /** Largest cost first; empty without `groupBy`. */
  groups: CostGroupSum[];
}

export interface DailyCosts {
  timeZone: string;
  groupBy?: CostGroup;
  days: DailyCost[];
}

export const ANALYTICS_GROUPS = ["day", "workflow", "nodeType", "model"] as const;
export type AnalyticsGroup = (typeof ANALYTICS_GROUPS)[number];

export interface AnalyticsQuery {
  /** How many local days, the last one included: 1 to 400. */
  days: number;
  /** IANA name, e.g. `Europe/Berlin`. Throws `invalid_time_zone` where it is unknown. */
  timeZone: string;
  /** The last local day, `YYYY-MM-DD`; today in `timeZone` where absent. */
  lastDay?: string;
  groupBy?: AnalyticsGroup;
  /** Only this workflow. */
  workflowId?: string;
}

/**
 * Durations of things that ended, from a histogram with eight buckets to each doubling: a percentile is within 4.5 % of
 * the exact one. Percentiles are absent where nothing was measured.
 */
export interface LatencySummary {
  count: number;
  p50Ms?: number;
  p95Ms?: number;
  p99Ms?: number;
}

export interface AnalyticsSums {
  /**
   * Executions that started in the window, by what became of them. Absent by node type and by model: one execution has
   * several.
   */
  executions?: { total: number; byStatus: Partial<Record<ExecutionStatus, number>> };
  /**
   * By node type: what the nodes of ended executions count for that started in the window. Else what the spans count for
   * that started in it, as in daily costs.
   */
  usage: UsageSum;
  cost: CostSum;
  /**
   * Of ended executions that started in the window: how long they took; by node type, how long their ended nodes took
   * (first start to last end); by model, how long their model calls (`llm`, `embedding`, really ended) took.
   */
  latency: LatencySummary;
}

export interface AnalyticsRow extends AnalyticsSums {
  /** The day, workflow id, node type or `provider/model`; empty where spans did not say. */
  key: string;
}

/** What ran, what it cost and how long it took, over a window of local days. */
export interface Analytics {
  timeZone: string;
  groupBy?: AnalyticsGroup;
  startTime: UnixNanos;
  endTime: UnixNanos;
  total: AnalyticsSums;
  /** Days in their order, without gaps; others by largest cost, then key. Empty without `groupBy`. */
  groups: AnalyticsRow[];
}
