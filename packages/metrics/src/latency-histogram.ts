import type { LatencySummary } from "@spanloom/model";

/**
 * One histogram for all stores: fixed slots, eight to each doubling, so that histograms of days, workflows and shards add
 * up to the same as one of all. Slot 0 holds what took less than a millisecond; slot k from 2^((k-1)/8) ms up to 2^(k/8) ms.
 */
const SLOTS_PER_DOUBLING = 8;
/** Where the scale ends: 2^40 ms are 34 years. */
const LAST_SLOT = 40 * SLOTS_PER_DOUBLING;

/** The slot of a duration. A negative one, of skewed clocks, took no time that anyone knows: slot 0. */
export function latencySlot(durationMs: number): number {
  if (!(durationMs >= 1)) return 0;
  return Math.min(Math.floor(Math.log2(durationMs) * SLOTS_PER_DOUBLING) + 1, LAST_SLOT);
}

/** How often each slot was hit. Counts may be added with a minus, to take away what was added before. */
export class LatencyHistogram {
  private readonly slots = new Map<number, number>();

  add(slot: number, count = 1): void {
    this.slots.set(slot, (this.slots.get(slot) ?? 0) + count);
  }

  /** Percentiles by nearest rank, each the geometric middle of its slot. */
  summary(): LatencySummary {
    const slots = [...this.slots].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
    const count = slots.reduce((sum, [, times]) => sum + times, 0);
    if (count === 0) return { count };
    const percentile = (share: number): number => {
      let rank = Math.ceil(count * share);
      for (const [slot, times] of slots) {
        rank -= times;
        if (rank <= 0) return middleOf(slot);
      }
      return middleOf(slots.at(-1)?.[0] ?? 0);
    };
    return { count, p50Ms: percentile(0.5), p95Ms: percentile(0.95), p99Ms: percentile(0.99) };
  }
}

function middleOf(slot: number): number {
  return slot === 0 ? 0.5 : 2 ** ((slot - 0.5) / SLOTS_PER_DOUBLING);
}
