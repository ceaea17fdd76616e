/** Stored sums of one grain, from a second on and up to another. */
export interface SumRange {
  grain: number;
  from: number;
  to: number;
}

/** A range that is added to, or taken away from, a window. */
export interface SignedRange extends SumRange {
  sign: 1 | -1;
}

/**
 * What adds up to a window that begins and ends on quarter-hours: whole UTC days, and at each end what lies between it and the
 * nearest UTC midnight, in the coarsest grains that fit. A day of any zone reads a handful of ranges.
 *
 * @param grains Those that are kept, in seconds, finest first; the last one is the whole day.
 */
export function rangesOf(fromSeconds: number, toSeconds: number, grains: readonly number[]): SignedRange[] {
  const day = grains.at(-1) ?? 86_400;
  const start = nearest(fromSeconds, day);
  const end = nearest(toSeconds, day);
  const ranges = signed(day, start, end, 1);
  ranges.push(...edgeOf(toSeconds, grains, 1), ...edgeOf(fromSeconds, grains, -1));
  return ranges;
}

/** From the nearest UTC midnight to a point on the grid. */
function edgeOf(seconds: number, grains: readonly number[], sign: 1 | -1): SignedRange[] {
  return grains.slice(0, -1).flatMap((grain, index) => {
    const coarser = grains[index + 1] ?? grain;
    return signed(grain, nearest(seconds, coarser), nearest(seconds, grain), sign);
  });
}

function signed(grain: number, from: number, to: number, sign: 1 | -1): SignedRange[] {
  if (from === to) return [];
  if (from < to) return [{ grain, from, to, sign }];
  return [{ grain, from: to, to: from, sign: sign === 1 ? -1 : 1 }];
}

function nearest(seconds: number, grain: number): number {
  return Math.floor(seconds / grain + 0.5) * grain;
}
