import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeSpan } from "./fixtures/index.ts";
import { canonicalJson } from "./json.ts";
import { compareRecords, mergeSpan, phaseOf } from "./merge-span.ts";
import type { SpanRecord } from "./span.ts";

/** Records of one span as retries, updates and time-outs make them: few values, so that ties are common. */
const state: fc.Arbitrary<SpanRecord> = fc
  .record({
    revision: fc.nat({ max: 2 }),
    endTime: fc.constantFrom(undefined, "1795167001000000000", "1795167002000000000"),
    synthetic: fc.boolean(),
    name: fc.constantFrom("a", "b"),
    attributes: fc.dictionary(fc.constantFrom("x", "y"), fc.constantFrom(1, "1", null), { maxKeys: 2 }),
  })
  .map(({ synthetic, endTime, ...rest }) =>
    makeSpan({
      ...rest,
      endTime,
      ...(synthetic && endTime !== undefined && { syntheticEnd: "timed_out" as const }),
    }),
  );

describe("mergeSpan", () => {
  it("gives the same record for any order, any duplicates and any grouping", () => {
    const shuffled = fc
      .array(state, { minLength: 1, maxLength: 8 })
      .chain((records) =>
        fc.tuple(
          fc.constant(records),
          fc.shuffledSubarray([...records, ...records, ...records], { minLength: records.length * 3 }),
          fc.integer({ min: 0, max: records.length * 3 }),
        ),
      );
    fc.assert(
      fc.property(shuffled, ([records, disorder, cut]) => {
        const winner = canonicalJson(records.reduce(mergeSpan));
        const groups = [disorder.slice(0, cut), disorder.slice(cut)].filter((group) => group.length > 0);
        const merged = groups.map((group) => group.reduce(mergeSpan)).reduce(mergeSpan);
        expect(canonicalJson(merged)).toBe(winner);
        for (const record of records) expect(compareRecords(merged, record)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it("prefers a real end to a synthetic one, and that to a running span, whatever the revisions", () => {
    const running = makeSpan({ endTime: undefined, revision: 9 });
    const lost = makeSpan({ syntheticEnd: "process_lost", revision: 5 });
    const ended = makeSpan({ revision: 0 });
    expect([running, lost, ended].map(phaseOf)).toEqual([0, 1, 2]);
    expect([lost, running].reduce(mergeSpan)).toBe(lost);
    expect([lost, ended, running].reduce(mergeSpan)).toBe(ended);
  });

  it("takes the higher revision of one phase, even when its end is earlier", () => {
    const first = makeSpan({ endTime: "1795167009000000000" });
    const second = makeSpan({ endTime: "1795167001000000000", revision: 1 });
    expect(mergeSpan(first, second)).toBe(second);
  });

  it("breaks ties by content, whichever came first", () => {
    const a = makeSpan({ name: "a" });
    const b = makeSpan({ name: "b" });
    expect(mergeSpan(a, b)).toBe(mergeSpan(b, a));
  });

  it("calls records equal that differ in key order or absent members only", () => {
    const a = makeSpan({ attributes: { x: 1, y: { p: 1, q: 2 } }, model: undefined });
    const b = makeSpan({ attributes: { y: { q: 2, p: 1 }, x: 1 } });
    expect(compareRecords(a, b)).toBe(0);
    expect(compareRecords(a, makeSpan({ attributes: { x: "1", y: { p: 1, q: 2 } } }))).not.toBe(0);
  });
});
