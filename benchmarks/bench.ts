/** What one case of a benchmark measured, over several rounds of one process. */
export interface BenchCase {
  name: string;
  /** The unit of `median`, `min` and `max`, such as `ms` or `us/span`. */
  unit: string;
  median: number;
  min: number;
  max: number;
  /** This case against another of the same run. Ratios travel between machines; times do not. */
  ratioTo?: { case: string; ratio: number };
}

/** One budget of the design, and whether this run kept it. */
export interface BenchBudget {
  what: string;
  limit: string;
  value: string;
  ok: boolean;
}

export interface BenchResult {
  cases: BenchCase[];
  budgets: BenchBudget[];
  /** What the figures are figures of, one sentence or two each. */
  notes?: string[];
}

export interface BenchOptions {
  /** Fewer rounds, for a first look. */
  quick: boolean;
}

/** The default export of `<name>.bench.ts`. */
export type Bench = (options: BenchOptions) => Promise<BenchResult>;

/** Sums the rounds of one case up. */
export function summarize(name: string, unit: string, rounds: readonly number[]): BenchCase {
  if (rounds.length === 0) throw new RangeError(`The case "${name}" has no rounds.`);
  const sorted = rounds.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const upper = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? at(upper) : (at(upper - 1) + at(upper)) / 2;
  return { name, unit, median, min: at(0), max: at(sorted.length - 1) };
}

/** States a case against the one it is measured by. */
export function against(measured: BenchCase, base: BenchCase): BenchCase {
  return { ...measured, ratioTo: { case: base.name, ratio: measured.median / base.median } };
}
