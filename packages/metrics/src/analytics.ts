import {
  ANALYTICS_GROUPS,
  type Analytics,
  type AnalyticsGroup,
  type AnalyticsQuery,
  type AnalyticsSums,
  type CostSum,
  type ExecutionStatus,
  mergeCostSums,
  mergeUsageSums,
  microsOf,
  nanosFromMillis,
  SpanloomError,
  type UsageSum,
} from "@spanloom/model";
import type { CostItem } from "./daily-costs.ts";
import type { ExecutionStats } from "./execution-stats.ts";
import { LatencyHistogram } from "./latency-histogram.ts";
import { type LocalDay, localDays } from "./local-days.ts";
import { compareText } from "./span-order.ts";
import { addContribution, emptySums, type Sums } from "./sums.ts";

/**
 * What ran, what it cost and how long it took.
 *
 * @param stats What each execution of the scope adds, as `executionStats` gives it.
 * @param items What counts in the scope, as `costItems` gives it.
 * @param nowMs Decides what today is, where the query names no last day.
 */
export function computeAnalytics(
  query: AnalyticsQuery,
  stats: Iterable<ExecutionStats>,
  items: Iterable<CostItem>,
  nowMs: number,
): Analytics {
  const draft = new AnalyticsDraft(query, nowMs);
  const { groupBy, workflowId: only } = query;
  for (const one of stats) {
    const day = draft.dayOf(one.bucket);
    if (day === undefined || (only !== undefined && one.workflowId !== only)) continue;
    const rows = draft.rows(ownKey(groupBy, day, one.workflowId));
    for (const row of rows) row.addExecution(one.status, 1);
    if (one.slot !== undefined) for (const row of rows) row.addLatency(one.slot, 1);
    if (groupBy === "nodeType") {
      for (const { key, slots, usage, cost } of one.nodeTypes) {
        const row = draft.group(key);
        row.addSums(usage, cost);
        for (const [slot, count] of slots) row.addLatency(slot, count);
      }
    }
    if (groupBy === "model") {
      for (const { key, slots } of one.models) {
        for (const [slot, count] of slots) draft.group(key).addLatency(slot, count);
      }
    }
  }
  for (const item of items) {
    const day = draft.dayOf(Math.floor(microsOf(item.startTime) / 1e6));
    if (day === undefined || (only !== undefined && item.workflowId !== only)) continue;
    const sums = emptySums();
    addContribution(sums, item.contribution);
    const key = groupBy === "model" ? item.model : ownKey(groupBy, day, item.workflowId);
    for (const row of draft.rows(key)) row.addSums(sums.usage, sums.cost);
  }
  return draft.finish();
}

/** The group that an execution as a whole falls into; none by node type and by model. */
function ownKey(
  groupBy: AnalyticsGroup | undefined,
  day: LocalDay,
  workflowId: string | undefined,
): string | undefined {
  if (groupBy === "day") return day.day;
  return groupBy === "workflow" ? (workflowId ?? "") : undefined;
}

/** An answer in the making: stores add what they keep, in any order and grain, also with a minus. */
export class AnalyticsDraft {
  /** The window's days. */
  readonly days: readonly LocalDay[];
  readonly total: AnalyticsRowDraft = new AnalyticsRowDraft();
  private readonly query: AnalyticsQuery;
  private readonly groups = new Map<string, AnalyticsRowDraft>();

  /** Throws `invalid_argument` and `invalid_time_zone`. */
  constructor(query: AnalyticsQuery, nowMs: number) {
    checkGroup(query.groupBy);
    this.query = query;
    this.days = localDays(query, nowMs);
    if (query.groupBy === "day") for (const { day } of this.days) this.group(day);
  }

  /** The day of the window in which a second falls. */
  dayOf(seconds: number): LocalDay | undefined {
    return this.days.find(({ startSeconds, endSeconds }) => seconds >= startSeconds && seconds < endSeconds);
  }

  group(key: string): AnalyticsRowDraft {
    let group = this.groups.get(key);
    if (group === undefined) {
      group = new AnalyticsRowDraft();
      this.groups.set(key, group);
    }
    return group;
  }

  /** The rows that something of this group counts in: the total, and the group where there is one. */
  rows(key: string | undefined): AnalyticsRowDraft[] {
    return key === undefined ? [this.total] : [this.total, this.group(key)];
  }

  finish(): Analytics {
    const { groupBy, timeZone } = this.query;
    const whole = groupBy === "day" || groupBy === "workflow";
    const groups = Array.from(this.groups, ([key, row]) => ({ key, row })).filter(
      ({ row }) => groupBy === "day" || !row.isEmpty(),
    );
    return {
      timeZone,
      ...(groupBy !== undefined && { groupBy }),
      startTime: nanosFromMillis((this.days[0]?.startSeconds ?? 0) * 1000),
      endTime: nanosFromMillis((this.days.at(-1)?.endSeconds ?? 0) * 1000),
      total: this.total.finish(true),
      groups: groups
        .map(({ key, row }) => ({ key, ...row.finish(whole) }))
        .sort((a, b) => {
          const byCost = groupBy === "day" ? 0 : (b.cost.nanoUsd ?? -1) - (a.cost.nanoUsd ?? -1);
          return byCost || compareText(a.key, b.key);
        }),
    };
  }
}

/** One row of the answer in the making. */
export class AnalyticsRowDraft {
  private readonly sums: Sums = emptySums();
  private readonly statuses = new Map<ExecutionStatus, number>();
  private readonly latency = new LatencyHistogram();

  addExecution(status: ExecutionStatus, count: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + count);
  }

  addLatency(slot: number, count: number): void {
    this.latency.add(slot, count);
  }

  addSums(usage: UsageSum, cost: CostSum): void {
    mergeUsageSums(this.sums.usage, usage);
    mergeCostSums(this.sums.cost, cost);
  }

  isEmpty(): boolean {
    const { usage, cost } = this.sums;
    const ran = [...this.statuses.values()].some((count) => count > 0);
    return (
      !ran &&
      usage.items === 0 &&
      cost.priced === 0 &&
      cost.unpriced === 0 &&
      this.latency.summary().count === 0
    );
  }

  finish(withExecutions: boolean): AnalyticsSums {
    return {
      ...(withExecutions && { executions: this.executions() }),
      ...this.sums,
      latency: this.latency.summary(),
    };
  }

  private executions(): NonNullable<AnalyticsSums["executions"]> {
    const counted = [...this.statuses].filter(([, count]) => count > 0);
    counted.sort(([a], [b]) => compareText(a, b));
    return {
      total: counted.reduce((sum, [, count]) => sum + count, 0),
      byStatus: Object.fromEntries(counted),
    };
  }
}

function checkGroup(groupBy: unknown): void {
  if (groupBy === undefined || ANALYTICS_GROUPS.some((group) => group === groupBy)) return;
  throw new SpanloomError("invalid_argument", {
    what: `Analytics cannot be grouped by "${String(groupBy).slice(0, 40)}".`,
    fix: `Group by ${ANALYTICS_GROUPS.join(", ")}, or not at all.`,
  });
}
