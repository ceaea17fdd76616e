/** Money inside Spanloom is whole nano-USD (10^-9 USD): floats drift when they are added, integers do not. */
export type NanoUsd = number;

/** Where a cost came from: the provider's own figure, our price table, or the host's override. */
export type CostSource = "reported" | "computed" | "override";

export interface Cost {
  /** The whole cost, a safe integer >= 0. */
  nanoUsd: NanoUsd;
  source: CostSource;
  /** Which price list gave it, as `<name>@<version>`; absent for reported costs. */
  priceVersion?: string;
  /** How it splits, where known. Parts need not add up to the whole (fees, rounding). */
  parts?: { input?: NanoUsd; output?: NanoUsd; cachedInput?: NanoUsd; cacheWrite?: NanoUsd; fee?: NanoUsd };
}

/** A sum of costs that says what it leaves out. */
export interface CostSum {
  /** Absent when no counted item had a price: unknown, not free. */
  nanoUsd?: NanoUsd;
  /** Counted items whose cost is known. */
  priced: number;
  /** Counted items that used tokens but have no known cost. */
  unpriced: number;
}

export function nanoUsdFromUsd(usd: number): NanoUsd {
  return Math.round(usd * 1e9);
}

/** For display and for REST. Up to two million USD, {@link nanoUsdFromUsd} gives the same integer back. */
export function usdFromNanoUsd(nanoUsd: NanoUsd): number {
  return nanoUsd / 1e9;
}

export function emptyCostSum(): CostSum {
  return { priced: 0, unpriced: 0 };
}

/** Adds one item to `sum`, in place; `undefined` is an item that used tokens and has no price. */
export function addCost(sum: CostSum, nanoUsd: NanoUsd | undefined): void {
  if (nanoUsd === undefined) {
    sum.unpriced++;
    return;
  }
  sum.nanoUsd = (sum.nanoUsd ?? 0) + nanoUsd;
  sum.priced++;
}

/** Adds `other` to `sum`, in place. */
export function mergeCostSums(sum: CostSum, other: CostSum): void {
  if (other.nanoUsd !== undefined) sum.nanoUsd = (sum.nanoUsd ?? 0) + other.nanoUsd;
  sum.priced += other.priced;
  sum.unpriced += other.unpriced;
}
