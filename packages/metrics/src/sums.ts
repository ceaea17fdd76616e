import {
  addCost,
  addUsage,
  type Contribution,
  type CostSum,
  emptyCostSum,
  emptyUsageSum,
  type UsageSum,
} from "@spanloom/model";

export interface Sums {
  usage: UsageSum;
  cost: CostSum;
}

export function emptySums(): Sums {
  return { usage: emptyUsageSum(), cost: emptyCostSum() };
}

/** Adds what one span counts for, in place; `undefined` counts for nothing. */
export function addContribution(sums: Sums, contribution: Contribution | undefined): void {
  if (contribution === undefined) return;
  if (contribution.usage !== undefined) addUsage(sums.usage, contribution.usage);
  if (contribution.nanoUsd !== undefined) addCost(sums.cost, contribution.nanoUsd);
  if (contribution.unpriced) addCost(sums.cost, undefined);
}
