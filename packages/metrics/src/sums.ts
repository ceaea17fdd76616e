import {
  addCost,
  addUsage,
  type Contribution,
  type CostSum,
  contributionOf,
  emptyCostSum,
  emptyUsageSum,
  type SpanRecord,
  spanKey,
  type UsageSum,
} from "@spanloom/model";

export interface Sums {
  usage: UsageSum;
  cost: CostSum;
}

export function emptySums(): Sums {
  return { usage: emptyUsageSum(), cost: emptyCostSum() };
}

/** What one span adds to every sum; `undefined` for nothing. Most spans have neither usage nor cost: they need no key. */
export function countedOf(
  span: Pick<SpanRecord, "traceId" | "spanId" | "kind" | "usage" | "cost">,
  below: ReadonlyMap<string, number>,
): Contribution | undefined {
  if (span.usage === undefined && span.cost === undefined) return undefined;
  return contributionOf(span, below.get(spanKey(span)) ?? 0);
}

/** Adds what one span counts for, in place; `undefined` counts for nothing. */
export function addContribution(sums: Sums, contribution: Contribution | undefined): void {
  if (contribution === undefined) return;
  if (contribution.usage !== undefined) addUsage(sums.usage, contribution.usage);
  if (contribution.nanoUsd !== undefined) addCost(sums.cost, contribution.nanoUsd);
  if (contribution.unpriced) addCost(sums.cost, undefined);
}
