import fc from "fast-check";
import { expect, test } from "vitest";
import { LatencyHistogram, latencySlot } from "./latency-histogram.ts";

const durations = fc.array(fc.double({ min: 1, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 300 });

test("each percentile is within 4.5 % of the exact one by nearest rank", () => {
  fc.assert(
    fc.property(durations, (all) => {
      const histogram = new LatencyHistogram();
      for (const duration of all) histogram.add(latencySlot(duration));
      const { count, p50Ms, p95Ms, p99Ms } = histogram.summary();
      const exact = all.toSorted((a, b) => a - b);
      expect(count).toBe(all.length);
      for (const [share, shown] of [
        [0.5, p50Ms],
        [0.95, p95Ms],
        [0.99, p99Ms],
      ] as const) {
        const wanted = exact[Math.ceil(all.length * share) - 1] as number;
        expect(Math.abs((shown as number) / wanted - 1)).toBeLessThan(0.045);
      }
    }),
  );
});

test("what is taken away again was never there", () => {
  fc.assert(
    fc.property(durations, durations, (kept, gone) => {
      const histogram = new LatencyHistogram();
      const alone = new LatencyHistogram();
      for (const duration of kept) alone.add(latencySlot(duration));
      for (const duration of [...kept, ...gone]) histogram.add(latencySlot(duration));
      for (const duration of gone) histogram.add(latencySlot(duration), -1);
      expect(histogram.summary()).toEqual(alone.summary());
    }),
  );
});

test("nothing measured has no percentiles, and less than a millisecond is half of one", () => {
  expect(new LatencyHistogram().summary()).toEqual({ count: 0 });
  const histogram = new LatencyHistogram();
  for (const duration of [0, 0.2, 0.999, -5, Number.NaN]) histogram.add(latencySlot(duration));
  expect(histogram.summary()).toEqual({ count: 5, p50Ms: 0.5, p95Ms: 0.5, p99Ms: 0.5 });
  expect(latencySlot(Number.MAX_VALUE)).toBe(latencySlot(Number.POSITIVE_INFINITY));
});
