/** The time axis: from 0 at the first start to `maxMs` at the end edge. */
export interface TimeScale {
  maxMs: number;
  /** Where hairlines and labels stand. The first is 0; none stands at the end edge. */
  ticksMs: readonly number[];
}

/** A bar in per cent of the axis. */
export interface BarBox {
  start: number;
  size: number;
}

const LIVE_STEPS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10] as const;
const TICK_STEPS = [1, 2, 5, 10] as const;
/** From a second on, time is not decimal: what a clock shows, in milliseconds. */
const CLOCK_STEPS_MS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
].map((seconds) => seconds * 1000);
const DAY_MS = 86_400_000;

/**
 * A finished trace fills the axis. A live one ends at a round value beyond now, so that its bars grow while the scale
 * stands still, and only now and then takes a step.
 */
export function createTimeScale(extentMs: number, live: boolean, maxTicks = 5): TimeScale {
  const extent = extentMs > 0 ? extentMs : 1;
  const maxMs = live ? roundUp(Math.max(extent * 1.02, 1000), LIVE_STEPS) : extent;
  const step = tickStep(maxMs / maxTicks);
  const ticksMs: number[] = [];
  for (let count = 0; count * step < maxMs * 0.96; count++) ticksMs.push(count * step);
  return { maxMs, ticksMs };
}

/** Where a span from `startMs` to `endMs` stands. A clock that ran backwards gives a bar of no length, never a negative one. */
export function barBox(scale: TimeScale, startMs: number, endMs: number): BarBox {
  const start = percentOf(scale, startMs);
  return { start, size: Math.max(percentOf(scale, endMs) - start, 0) };
}

export function percentOf(scale: TimeScale, atMs: number): number {
  return Math.min(Math.max((atMs / scale.maxMs) * 100, 0), 100);
}

function tickStep(leastMs: number): number {
  if (leastMs <= 500) return roundUp(leastMs, TICK_STEPS);
  return CLOCK_STEPS_MS.find((step) => step >= leastMs) ?? roundUp(leastMs / DAY_MS, TICK_STEPS) * DAY_MS;
}

function roundUp(value: number, steps: readonly number[]): number {
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of steps) if (step * power >= value * 0.999999) return step * power;
  return 10 * power;
}
