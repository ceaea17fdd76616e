import { type CostSum, type DailyCost, type DailyCosts, emptyCostSum, mergeCostSums } from "@spanloom/model";

/** How many groups have a colour of their own; the smaller ones share one. */
const MAX_SERIES = 6;
/** The key of the smaller groups together. No workflow or model is called so. */
export const OTHER = "\u0000other";

export interface CostBar {
  day: string;
  cost: CostSum;
  /** What stands in the bar, by group key; one entry, keyed `""`, without grouping. */
  parts: ReadonlyMap<string, CostSum>;
  /** The day is not over. */
  partial: boolean;
}

export interface CostSeries {
  bars: CostBar[];
  /** Group keys in the order that they are stacked, dearest first. */
  keys: string[];
  /** The sum of each key over the period. */
  totals: Map<string, CostSum>;
  total: CostSum;
  /** The period of the same length before, for comparison. */
  before: CostSum;
  /** Share of counted calls without a price, 0 to 1; absent when nothing was counted. */
  unpricedShare?: number;
}

/** Splits twice the period into the part that is shown and the part that it is compared with. */
export function costSeries(costs: DailyCosts, shownDays: number, today: string): CostSeries {
  const shown = costs.days.slice(-shownDays);
  const grouped = costs.groupBy !== undefined;
  const totals = new Map<string, CostSum>();
  for (const group of shown.flatMap((day) => day.groups)) addTo(totals, group.key, group.cost);
  const ranked = [...totals].sort(([, a], [, b]) => (b.nanoUsd ?? 0) - (a.nanoUsd ?? 0)).map(([key]) => key);
  const keys = ranked.length > MAX_SERIES ? [...ranked.slice(0, MAX_SERIES - 1), OTHER] : ranked;
  const shownKey = (key: string): string => (keys.includes(key) ? key : OTHER);
  for (const key of ranked)
    if (shownKey(key) === OTHER) addTo(totals, OTHER, totals.get(key) ?? emptyCostSum());
  const total = sumOf(shown);
  const counted = total.priced + total.unpriced;
  return {
    bars: shown.map((day) => ({
      day: day.day,
      cost: day.cost,
      parts: grouped ? partsOf(day, shownKey) : new Map([["", day.cost]]),
      partial: day.day === today,
    })),
    keys: grouped ? keys : [""],
    totals,
    total,
    before: sumOf(costs.days.slice(0, -shownDays)),
    ...(counted > 0 && { unpricedShare: total.unpriced / counted }),
  };
}

function partsOf(day: DailyCost, shownKey: (key: string) => string): Map<string, CostSum> {
  const parts = new Map<string, CostSum>();
  for (const { key, cost } of day.groups) addTo(parts, shownKey(key), cost);
  return parts;
}

function sumOf(days: readonly DailyCost[]): CostSum {
  const sum = emptyCostSum();
  for (const day of days) mergeCostSums(sum, day.cost);
  return sum;
}

function addTo(sums: Map<string, CostSum>, key: string, cost: CostSum): void {
  const sum = sums.get(key) ?? emptyCostSum();
  mergeCostSums(sum, cost);
  sums.set(key, sum);
}
