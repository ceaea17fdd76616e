import {
  addCost,
  addUsage,
  bearsBelow,
  contributionOf,
  emptyCostSum,
  emptyUsageSum,
  type SpanSkeleton,
  spanKey,
} from "@spanloom/model";
import { hostileTraces, makeSpan, makeTrace, sampleTrace } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { buildTraceModel, type TraceModel } from "./trace-model.ts";

const id = (number: number): string => number.toString(16).padStart(16, "0");

function at(model: TraceModel, name: string): number {
  return model.nodes.findIndex((node) => node.span.name === name);
}

function llm(number: number, parent: number | undefined, fields: Partial<SpanSkeleton>): SpanSkeleton {
  return makeSpan({
    spanId: id(number),
    ...(parent !== undefined && { parentSpanId: id(parent) }),
    name: `s${number}`,
    kind: "llm",
    ...fields,
  });
}

describe("buildTraceModel", () => {
  test("keeps every span of every hostile trace, once", () => {
    for (const { name, spans } of hostileTraces()) {
      const model = buildTraceModel(spans);
      const keys = new Set(spans.map(spanKey));
      expect(new Set(model.nodes.map((node) => node.key)), name).toEqual(keys);
      model.nodes.forEach((node, index) => {
        const parent = model.parents[index] as number;
        expect(parent < 0 ? undefined : model.nodes[parent], name).toBe(node.parent);
      });
    }
  });

  test("counts from the first start, also when a clock ran backwards", () => {
    const skewed = hostileTraces().find((trace) => trace.name === "clock skew");
    const model = buildTraceModel(skewed?.spans ?? []);
    expect(Math.min(...model.startMs)).toBe(0);
    expect(model.extentMs).toBeGreaterThan(31_536_000_000);
  });

  test("an ended root's subtree sum is what the execution costs and used", () => {
    const spans = sampleTrace();
    const model = buildTraceModel(spans);
    const usage = emptyUsageSum();
    const cost = emptyCostSum();
    const below = bearsBelow(spans);
    for (const span of spans) {
      const counted = contributionOf(span, below.get(spanKey(span)) ?? 0);
      if (counted?.usage) addUsage(usage, counted.usage);
      if (counted?.nanoUsd !== undefined) addCost(cost, counted.nanoUsd);
      if (counted?.unpriced) addCost(cost, undefined);
    }
    expect(model.tokens[0]).toBe(usage.total);
    expect([model.costNanoUsd[0], model.unpriced[0]]).toEqual([cost.nanoUsd, cost.unpriced]);
    expect(model.errorCount).toBe(spans.filter((span) => span.status.code === "error").length);
  });

  test("a parent that repeats its children's usage adds nothing, and unknown stays unknown", () => {
    const model = buildTraceModel([
      llm(1, undefined, { kind: "agent", usage: { input: 30, output: 12, subtotal: true } }),
      llm(2, 1, { usage: { input: 10, output: 2 }, cost: { nanoUsd: 500, source: "computed" } }),
      llm(3, 1, { usage: { input: 20, output: 10 } }),
      llm(4, 1, { kind: "tool" }),
    ]);
    expect(model.tokens[at(model, "s1")]).toBe(42);
    expect(model.costNanoUsd[at(model, "s1")]).toBe(500);
    expect(model.unpriced[at(model, "s1")]).toBe(1);
    expect(model.costNanoUsd[at(model, "s3")]).toBeNaN();
    expect(model.tokens[at(model, "s4")]).toBeNaN();
  });

  test("members of a cycle hide each other's usage as the stores' sums do", () => {
    const usage = { input: 5, output: 5 };
    const model = buildTraceModel([llm(1, 2, { usage }), llm(2, 1, { usage })]);
    expect(model.cycles).toBe(1);
    expect(model.tokens[0]).toBeNaN();
  });

  test("finds spans by key", () => {
    const spans = makeTrace({ spans: 300, content: false });
    const model = buildTraceModel(spans);
    for (const span of spans) expect(model.nodes[model.indexOf(spanKey(span))]?.span).toBe(span);
    expect(model.indexOf("nothing/there")).toBe(-1);
  });

  test("an empty trace is a model with nothing in it", () => {
    expect(buildTraceModel([])).toMatchObject({ nodes: [], extentMs: 0, errorCount: 0 });
  });
});
