import { hostileTraces, makeSpan, makeTrace, sampleTrace } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { findAttempts } from "./attempts.ts";
import { scrollTopFor, takeAnchor } from "./scroll-anchor.ts";
import { nextMatch, searchSpans } from "./search-spans.ts";
import { barBox, createTimeScale, percentOf } from "./time-scale.ts";
import { findFacts } from "./trace-facts.ts";
import { buildTraceModel } from "./trace-model.ts";
import { keepSpans, visibleRows } from "./visible-rows.ts";

const open = new Set<string>();

describe("time scale", () => {
  test("a finished trace fills the axis with round ticks", () => {
    const scale = createTimeScale(6_200, false);
    expect(scale.maxMs).toBe(6_200);
    expect(scale.ticksMs).toEqual([0, 2_000, 4_000]);
    const minutes = createTimeScale(2 * 3_600_000 + 660_000, false).ticksMs.map((tick) => tick / 60_000);
    expect(minutes).toEqual([0, 30, 60, 90, 120]);
  });

  test("a live one stands still while it grows", () => {
    expect(createTimeScale(4_100, true).maxMs).toBe(5_000);
    expect(createTimeScale(4_800, true).maxMs).toBe(5_000);
    expect(createTimeScale(5_100, true).maxMs).toBe(6_000);
  });

  test("ticks stay few and rising from nanoseconds to years", () => {
    for (const extent of [0, 1e-6, 0.4, 1, 99, 12_345, 31_536_000_001]) {
      const { ticksMs, maxMs } = createTimeScale(extent, false, 5);
      expect(ticksMs.length).toBeGreaterThan(0);
      expect(ticksMs.length).toBeLessThanOrEqual(6);
      expect(
        ticksMs.every((tick, at) => tick <= maxMs && (at === 0 || tick > (ticksMs[at - 1] as number))),
      ).toBe(true);
    }
  });

  test("bars never leave the axis and are never negative", () => {
    const scale = createTimeScale(1_000, false);
    expect(barBox(scale, 250, 750)).toEqual({ start: 25, size: 50 });
    expect(barBox(scale, 500, 100)).toEqual({ start: 50, size: 0 });
    expect(percentOf(scale, 5_000)).toBe(100);
  });
});

describe("search", () => {
  const model = buildTraceModel(sampleTrace());
  test("finds parts of names in any case, and counts under a filter", () => {
    const all = searchSpans(model, "CHAT");
    expect(all.length).toBe(model.nodes.filter((node) => node.span.name.includes("chat")).length);
    expect(all.length).toBeGreaterThan(0);
    const errors = keepSpans(model, { errorsOnly: true, aiOnly: false });
    expect(searchSpans(model, "chat", errors).length).toBeLessThan(all.length);
    expect(searchSpans(model, "  ").length).toBe(0);
  });

  test("goes round in both directions", () => {
    const matches = Int32Array.from([3, 8, 12]);
    expect(nextMatch(matches, 3, 1)).toBe(1);
    expect(nextMatch(matches, 12, 1)).toBe(0);
    expect(nextMatch(matches, 3, -1)).toBe(2);
    expect(nextMatch(matches, 10, -1)).toBe(1);
    expect(nextMatch(new Int32Array(), 0, 1)).toBe(-1);
  });

  test("odd names are searched as they are", () => {
    const odd = hostileTraces().find((trace) => trace.name === "odd text");
    expect(searchSpans(buildTraceModel(odd?.spans ?? []), "<IMG").length).toBe(1);
  });
});

describe("attempts", () => {
  test("a failed try before a retry is superseded, the last one knows those before it", () => {
    const model = buildTraceModel(sampleTrace());
    const places = [...findAttempts(model).values()];
    expect(
      places.map(({ attempt, of, superseded, earlier }) => [attempt, of, superseded, earlier.length]),
    ).toEqual([
      [1, 2, true, 0],
      [2, 2, false, 1],
    ]);
  });

  test("a loop that comes back to a node is no retry", () => {
    const again = ["00000000000000b1", "00000000000000b2"].map((spanId, at) =>
      makeSpan({ spanId, kind: "node", nodeId: "n", attempt: 1, startTime: `179516700000000000${at}` }),
    );
    expect(findAttempts(buildTraceModel(again)).size).toBe(0);
  });
});

describe("facts", () => {
  test("names the slowest and the dearest node and each artifact once", () => {
    const { slowest, dearest, artifacts } = findFacts(buildTraceModel(sampleTrace()));
    expect(slowest?.name).toBeDefined();
    expect(dearest?.nanoUsd).toBeGreaterThan(0);
    expect(artifacts.map((found) => found.artifact.artifactId)).toEqual([
      ...new Set(artifacts.map((found) => found.artifact.artifactId)),
    ]);
    expect(artifacts.length).toBeGreaterThan(0);
  });

  test("says nothing of nodes where there are none", () => {
    expect(findFacts(buildTraceModel([makeSpan()]))).toEqual({ artifacts: [] });
  });
});

describe("scroll anchor", () => {
  const spans = makeTrace({ spans: 400, content: false });
  test("rows that arrive above leave the view where it was", () => {
    const late = spans.filter(
      (_, at) => at % 7 !== 3 || spans.some((span) => span.parentSpanId === spans[at]?.spanId),
    );
    const before = buildTraceModel(late);
    const rowsBefore = visibleRows(before, open, undefined);
    const anchor = takeAnchor(before, rowsBefore, 200 * 28 + 10, 600, 28);
    const after = buildTraceModel(spans);
    const rows = visibleRows(after, open, undefined);
    const top = anchor && scrollTopFor(anchor, after, rows, 28);
    const topKey = (model: typeof after, order: Int32Array, scrollTop: number): string | undefined =>
      model.nodes[order[Math.ceil(scrollTop / 28)] ?? 0]?.key;
    expect(rows.length).toBeGreaterThan(rowsBefore.length);
    expect(topKey(after, rows, top ?? 0)).toBe(topKey(before, rowsBefore, 200 * 28 + 10));
    expect((top ?? 0) % 28).toBe(10);
  });

  test("holds on to the next row when the first is gone", () => {
    const before = buildTraceModel(spans);
    const rows = visibleRows(before, open, undefined);
    const anchor = takeAnchor(before, rows, 50 * 28, 600, 28);
    const after = buildTraceModel(spans.filter((span) => `${span.traceId}/${span.spanId}` !== anchor?.key));
    expect(anchor && scrollTopFor(anchor, after, visibleRows(after, open, undefined), 28)).toBeGreaterThan(0);
    expect(anchor && scrollTopFor(anchor, buildTraceModel([]), new Int32Array(), 28)).toBeUndefined();
  });
});
