import {
  bearsBelow,
  COST_GROUPS,
  type Contribution,
  type CostGroupSum,
  type DailyCost,
  type DailyCosts,
  type DailyCostsQuery,
  microsOf,
  nanosFromMillis,
  SpanloomError,
  type SpanRecord,
  type UnixNanos,
} from "@spanloom/model";
import { type LocalDay, localDays } from "./local-days.ts";
import { segmentRoots } from "./segments.ts";
import { compareText } from "./span-order.ts";
import { addContribution, countedOf, emptySums, type Sums } from "./sums.ts";

/** What one span adds to the day of its start. */
export interface CostItem {
  startTime: UnixNanos;
  /** Its execution's workflow. */
  workflowId?: string;
  /** As {@link modelKey} gives it. */
  model: string;
  contribution: Contribution;
}

/**
 * What was spent by local day. Every item falls on exactly one day of a zone, by the start of its span.
 *
 * @param items What counts in the scope, as `costItems` gives it.
 * @param nowMs Decides what today is, where the query names no last day.
 */
export function computeDailyCosts(
  query: DailyCostsQuery,
  items: Iterable<CostItem>,
  nowMs: number,
): DailyCosts {
  const { timeZone, groupBy, workflowId } = query;
  checkGroup(groupBy);
  const days = localDays(query, nowMs).map((day) => ({
    day,
    sums: emptySums(),
    groups: new Map<string, CostGroupSum>(),
  }));
  const firstSeconds = days[0]?.day.startSeconds ?? 0;
  for (const item of items) {
    if (workflowId !== undefined && item.workflowId !== workflowId) continue;
    const seconds = Math.floor(microsOf(item.startTime) / 1e6);
    if (seconds < firstSeconds) continue;
    const found = days.find(({ day }) => seconds >= day.startSeconds && seconds < day.endSeconds);
    if (found === undefined) continue;
    addContribution(found.sums, item.contribution);
    if (groupBy === undefined) continue;
    const key = groupBy === "workflow" ? (item.workflowId ?? "") : item.model;
    let group = found.groups.get(key);
    if (group === undefined) {
      group = { key, ...emptySums() };
      found.groups.set(key, group);
    }
    addContribution(group, item.contribution);
  }
  return {
    timeZone,
    ...(groupBy !== undefined && { groupBy }),
    days: days.map(({ day, sums, groups }) => toDailyCost(day, sums, [...groups.values()])),
  };
}

/** A day's answer: groups in their order, largest known cost first, then by key. */
export function toDailyCost(day: LocalDay, sums: Sums, groups: CostGroupSum[]): DailyCost {
  return {
    day: day.day,
    startTime: nanosFromMillis(day.startSeconds * 1000),
    endTime: nanosFromMillis(day.endSeconds * 1000),
    ...sums,
    groups: groups.sort(
      (a, b) => (b.cost.nanoUsd ?? -1) - (a.cost.nanoUsd ?? -1) || compareText(a.key, b.key),
    ),
  };
}

/**
 * What the spans of a scope (or of whole traces) add to daily costs.
 *
 * @param spans Each once and with its effective execution id, as `currentSpans` gives them.
 */
export function costItems(
  spans: readonly SpanRecord[],
  below: ReadonlyMap<string, number> = bearsBelow(spans),
): CostItem[] {
  const byExecution = new Map<string, SpanRecord[]>();
  for (const span of spans) {
    const own = byExecution.get(span.executionId);
    if (own === undefined) byExecution.set(span.executionId, [span]);
    else own.push(span);
  }
  return Array.from(byExecution.values(), (own) => {
    const workflowId = segmentRoots(own)[0]?.workflowId;
    return own.flatMap((span): CostItem[] => {
      const contribution = countedOf(span, below);
      if (contribution === undefined) return [];
      return [{ startTime: span.startTime, workflowId, model: modelKey(span), contribution }];
    });
  }).flat();
}

/** How a span's model is named in groups: `provider/model`, the model alone where no provider is known, or empty. */
export function modelKey(span: Pick<SpanRecord, "model" | "provider">): string {
  if (span.model === undefined) return "";
  return span.provider === undefined ? span.model : `${span.provider}/${span.model}`;
}

function checkGroup(groupBy: unknown): void {
  if (groupBy === undefined || COST_GROUPS.some((group) => group === groupBy)) return;
  throw new SpanloomError("invalid_argument", {
    what: `Costs cannot be grouped by "${String(groupBy).slice(0, 40)}".`,
    fix: `Group by ${COST_GROUPS.join(" or ")}, or not at all.`,
  });
}
