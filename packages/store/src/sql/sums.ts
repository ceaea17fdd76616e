import {
  type CostSum,
  contributionOf,
  type SpanSkeleton,
  TOKEN_FIELDS,
  totalTokens,
  type UsageSum,
} from "@spanloom/model";

/**
 * Sums as rows keep them: whole numbers, so that adding and taking away again leaves no trace. Each token field has the
 * number of items that knew it, so that "unknown" can still be told from 0.
 */
export const SUM_COLUMNS = [
  "items",
  "tok_input",
  "tok_output",
  "tok_cached",
  "tok_cache_write",
  "tok_reasoning",
  "tok_total",
  "nano_usd",
  "known_input",
  "known_output",
  "known_cached",
  "known_cache_write",
  "known_reasoning",
  "known_total",
  "priced",
  "unpriced",
] as const;

/** One value for each of {@link SUM_COLUMNS}. */
export type Sums = number[];

/** The columns as they are read: as doubles, since a driver refuses integers that are none. */
export const SUMS_READ: string = SUM_COLUMNS.map((column) => `CAST(${column} AS REAL)`).join(", ");

const ITEMS = 0;
const TOKENS = 1;
const NANO_USD = 7;
const KNOWN = 8;
const PRICED = 14;
const UNPRICED = 15;

export function emptySums(): Sums {
  return new Array<number>(SUM_COLUMNS.length).fill(0);
}

/** What one span adds, given what its descendants bear; `undefined` when it counts for nothing. */
export function sumsOf(span: Pick<SpanSkeleton, "kind" | "usage" | "cost">, below: number): Sums | undefined {
  const counted = contributionOf(span, below);
  if (counted === undefined) return undefined;
  const sums = emptySums();
  const { usage } = counted;
  if (usage !== undefined) {
    sums[ITEMS] = 1;
    TOKEN_FIELDS.forEach((field, index) => {
      const value = field === "total" ? totalTokens(usage) : usage[field];
      if (value === undefined) return;
      sums[TOKENS + index] = value;
      sums[KNOWN + index] = 1;
    });
  }
  if (counted.nanoUsd !== undefined) {
    sums[NANO_USD] = counted.nanoUsd;
    sums[PRICED] = 1;
  }
  if (counted.unpriced) sums[UNPRICED] = 1;
  return sums;
}

/** What {@link usageSumOf} and {@link costSumOf} take apart. */
export function sumsFrom(usage: UsageSum, cost: CostSum): Sums {
  const sums = emptySums();
  sums[ITEMS] = usage.items;
  TOKEN_FIELDS.forEach((field, index) => {
    sums[TOKENS + index] = usage[field] ?? 0;
    sums[KNOWN + index] = usage.known[field];
  });
  sums[NANO_USD] = cost.nanoUsd ?? 0;
  sums[PRICED] = cost.priced;
  sums[UNPRICED] = cost.unpriced;
  return sums;
}

/** Adds `sign` times `other` to `sums`, in place. */
export function addSums(sums: Sums, other: Sums, sign: 1 | -1 = 1): void {
  for (let index = 0; index < sums.length; index++) {
    sums[index] = (sums[index] as number) + sign * (other[index] as number);
  }
}

export function isZero(sums: Sums): boolean {
  return sums.every((value) => value === 0);
}

/** True when taking these away may leave a row without any item. */
export function takesAway(sums: Sums): boolean {
  return (sums[ITEMS] as number) < 0 || (sums[PRICED] as number) < 0;
}

/** In SQL: no item is left, so every column is 0. */
export const NOTHING_LEFT = "items = 0 AND priced = 0";

export function usageSumOf(sums: Sums): UsageSum {
  const sum: UsageSum = {
    items: sums[ITEMS] as number,
    known: { input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0, total: 0 },
  };
  TOKEN_FIELDS.forEach((field, index) => {
    const known = sums[KNOWN + index] as number;
    sum.known[field] = known;
    if (known > 0) sum[field] = sums[TOKENS + index] as number;
  });
  return sum;
}

export function costSumOf(sums: Sums): CostSum {
  const priced = sums[PRICED] as number;
  const unpriced = sums[UNPRICED] as number;
  return { ...(priced > 0 && { nanoUsd: sums[NANO_USD] as number }), priced, unpriced };
}

/** The row that {@link usageSumOf} and {@link costSumOf} read this from. */
export function joinSums(usage: UsageSum, cost: CostSum): Sums {
  const sums = emptySums();
  sums[ITEMS] = usage.items;
  TOKEN_FIELDS.forEach((field, index) => {
    sums[TOKENS + index] = usage[field] ?? 0;
    sums[KNOWN + index] = usage.known[field];
  });
  sums[NANO_USD] = cost.nanoUsd ?? 0;
  sums[PRICED] = cost.priced;
  sums[UNPRICED] = cost.unpriced;
  return sums;
}
