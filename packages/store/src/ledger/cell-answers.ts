import { AnalyticsDraft, type LocalDay, localDays, toDailyCost } from "@spanloom/metrics";
import {
  type Analytics,
  type AnalyticsQuery,
  COST_GROUPS,
  type DailyCosts,
  type DailyCostsQuery,
  EXECUTION_STATUSES,
} from "@spanloom/model";
import { checkOneOf } from "../check-arguments.ts";
import { addSums, costSumOf, emptySums, type Sums, usageSumOf } from "../sql/sums.ts";
import type { AnalyticsCell, UsageCell } from "./changes.ts";

/** Answers over time from cells of quarter-hours, for backings that have no engine to add them up. */

/** Throws `invalid_argument` and `invalid_time_zone`. */
export function dailyCostsOf(query: DailyCostsQuery, cells: Iterable<UsageCell>, nowMs: number): DailyCosts {
  const groupBy = checkOneOf(query.groupBy, "groupBy", COST_GROUPS, undefined);
  const days = localDays(query, nowMs);
  const sums = days.map(() => ({ total: emptySums(), groups: new Map<string, Sums>() }));
  for (const { bucket, workflowId, model, sums: added } of cells) {
    if (query.workflowId !== undefined && workflowId !== query.workflowId) continue;
    const day = sums[dayAt(days, bucket)];
    if (day === undefined) continue;
    addSums(day.total, added);
    if (groupBy === undefined) continue;
    const key = groupBy === "workflow" ? workflowId : model;
    const group = day.groups.get(key) ?? emptySums();
    day.groups.set(key, group);
    addSums(group, added);
  }
  return {
    timeZone: query.timeZone,
    ...(groupBy !== undefined && { groupBy }),
    days: days.map((day, index) => {
      const { total, groups } = sums[index] ?? { total: emptySums(), groups: new Map<string, Sums>() };
      return toDailyCost(
        day,
        pairOf(total),
        Array.from(groups, ([key, group]) => ({ key, ...pairOf(group) })),
      );
    }),
  };
}

/** Throws `invalid_argument` and `invalid_time_zone`. */
export function analyticsOf(
  query: AnalyticsQuery,
  cells: Iterable<AnalyticsCell>,
  usage: Iterable<UsageCell>,
  nowMs: number,
): Analytics {
  const { groupBy, workflowId: only } = query;
  const draft = new AnalyticsDraft(query, nowMs);
  for (const { bucket, workflowId, dim, key, slot, count, sums } of cells) {
    const day = draft.days[dayAt(draft.days, bucket)];
    if (day === undefined || (only !== undefined && workflowId !== only)) continue;
    if (dim === "nodeType" || dim === "model") {
      if (groupBy !== dim) continue;
      const row = draft.group(key);
      if (sums !== undefined) row.addSums(usageSumOf(sums), costSumOf(sums));
      if (slot >= 0) row.addLatency(slot, count);
      continue;
    }
    const status = EXECUTION_STATUSES.find((one) => one === key);
    for (const row of draft.rows(ownKey(groupBy, day, workflowId))) {
      if (dim === "latency") row.addLatency(slot, count);
      else if (status !== undefined) row.addExecution(status, count);
    }
  }
  for (const { bucket, workflowId, model, sums } of usage) {
    const day = draft.days[dayAt(draft.days, bucket)];
    if (day === undefined || (only !== undefined && workflowId !== only)) continue;
    const key = groupBy === "model" ? model : ownKey(groupBy, day, workflowId);
    for (const row of draft.rows(key)) row.addSums(usageSumOf(sums), costSumOf(sums));
  }
  return draft.finish();
}

/** The group that an execution as a whole falls into; none by node type and by model. */
function ownKey(groupBy: AnalyticsQuery["groupBy"], day: LocalDay, workflowId: string): string | undefined {
  if (groupBy === "day") return day.day;
  return groupBy === "workflow" ? workflowId : undefined;
}

function pairOf(sums: Sums): { usage: ReturnType<typeof usageSumOf>; cost: ReturnType<typeof costSumOf> } {
  return { usage: usageSumOf(sums), cost: costSumOf(sums) };
}

/** The place of the day in which a second falls, among days without gaps; -1 outside. */
function dayAt(days: readonly LocalDay[], seconds: number): number {
  let low = 0;
  let high = days.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const day = days[middle] as LocalDay;
    if (seconds < day.startSeconds) high = middle - 1;
    else if (seconds >= day.endSeconds) low = middle + 1;
    else return middle;
  }
  return -1;
}
