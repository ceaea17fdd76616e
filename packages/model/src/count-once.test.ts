import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addCost, type Cost, type CostSum, emptyCostSum } from "./cost.ts";
import { bearsBelow, bearsOf, contributionOf } from "./count-once.ts";
import { makeSpan, sampleTrace } from "./fixtures/index.ts";
import { type SpanKind, type SpanRecord, spanKey } from "./span.ts";
import { addUsage, emptyUsageSum, type TokenUsage, type UsageSum } from "./usage.ts";

describe("usage counts once", () => {
  it("where an agent repeats its children", () => {
    const spans = [
      span(1, undefined, "agent", { input: 30, output: 7 }, 900),
      span(2, 1, "llm", { input: 10, output: 2 }, 300),
      span(3, 1, "llm", { input: 20, output: 5 }, 600),
    ];
    expect(totalsOf(spans)).toMatchObject({
      usage: { input: 30, output: 7, items: 2 },
      cost: { nanoUsd: 900, priced: 2 },
    });
  });

  it("where a root call of an SDK repeats the call below it, across spans without usage", () => {
    const spans = [
      span(1, undefined, "llm", { input: 100, output: 10 }),
      span(2, 1, "internal"),
      span(3, 2, "llm", { input: 100, output: 10 }, 50),
    ];
    expect(totalsOf(spans)).toMatchObject({
      usage: { input: 100, items: 1 },
      cost: { nanoUsd: 50, unpriced: 0 },
    });
  });

  it("where model calls nest three deep", () => {
    const spans = [1, 2, 3].map((id) => span(id, id - 1 || undefined, "llm", { input: 5 }, 5));
    expect(totalsOf(spans)).toMatchObject({ usage: { input: 5, items: 1 }, cost: { nanoUsd: 5, priced: 1 } });
  });

  it("on an agent whose children were not traced", () => {
    const spans = [span(1, undefined, "agent", { input: 8, subtotal: true }, 80), span(2, 1, "tool")];
    expect(totalsOf(spans)).toMatchObject({ usage: { input: 8 }, cost: { nanoUsd: 80, unpriced: 0 } });
  });

  it("while a tool's fee always adds and hides nothing", () => {
    const spans = [
      span(1, undefined, "agent", { input: 8 }, 80),
      span(2, 1, "tool", undefined, 5),
      span(3, 2, "http", undefined, 2),
    ];
    expect(totalsOf(spans)).toMatchObject({ usage: { input: 8 }, cost: { nanoUsd: 87, priced: 3 } });
  });

  it("and so does the fee of a tool that calls a priced model", () => {
    const spans = [span(1, undefined, "tool", undefined, 5), span(2, 1, "llm", { input: 8 }, 80)];
    expect(totalsOf(spans)).toMatchObject({ usage: { input: 8 }, cost: { nanoUsd: 85, priced: 2 } });
  });

  it("for tokens and cost apart: the parent's price stands where children bring tokens alone", () => {
    const spans = [span(1, undefined, "agent", { input: 8 }, 80), span(2, 1, "llm", { input: 8 })];
    expect(totalsOf(spans)).toMatchObject({
      usage: { input: 8, items: 1 },
      cost: { nanoUsd: 80, priced: 1, unpriced: 1 },
    });
  });

  it("with zeros hiding nothing", () => {
    const spans = [
      span(1, undefined, "agent", { input: 8 }, 80),
      span(2, 1, "llm", { input: 0, output: 0 }, 0),
    ];
    expect(totalsOf(spans)).toMatchObject({
      usage: { input: 8, items: 2 },
      cost: { nanoUsd: 80, priced: 2 },
    });
  });

  it("on a span that is its own parent", () => {
    expect(totalsOf([span(1, 1, "llm", { input: 4 }, 4)])).toMatchObject({
      usage: { input: 4 },
      cost: { nanoUsd: 4 },
    });
  });

  it("without a hang on a cycle, whose members are their own descendants", () => {
    const spans = [
      span(1, 2, "llm", { input: 4 }),
      span(2, 1, "agent", { input: 4 }),
      span(3, 1, "llm", { input: 3 }),
    ];
    expect(totalsOf(spans)).toMatchObject({ usage: { input: 3, items: 1 } });
  });

  it("apart for equal span ids in two traces", () => {
    const other = { ...span(2, 1, "llm", { input: 9 }), traceId: "b".repeat(32) };
    expect(totalsOf([span(1, undefined, "agent", { input: 4 }), other])).toMatchObject({
      usage: { input: 13, items: 2 },
    });
  });

  it("counts the sample as its leaves: repeating agents add nothing, the unpriced model is told", () => {
    const { usage, cost } = totalsOf(sampleTrace());
    const leaves = sampleTrace().filter(({ kind }) => kind === "llm" || kind === "embedding");
    expect(usage.items).toBe(leaves.length);
    expect(usage.input).toBe(leaves.reduce((sum, leaf) => sum + (leaf.usage?.input ?? 0), 0));
    expect(cost).toMatchObject({ unpriced: 1, priced: leaves.length });
  });

  it("as a brute-force reading of the rule does, in any order of arrival", () => {
    fc.assert(
      fc.property(histories(), ([spans, shuffled]) => {
        const below = bearsBelow(spans);
        for (const one of spans) expect(below.get(spanKey(one)) ?? 0).toBe(bruteForceBelow(one, spans));
        expect(totalsOf(shuffled)).toEqual(totalsOf(spans));
      }),
      { numRuns: 1_000 },
    );
  });

  it("in linear time on a chain of 100,000 that all bear", () => {
    const spans = Array.from({ length: 100_000 }, (_, index) =>
      span(index + 1, index || undefined, "llm", { input: 1 }, 1),
    );
    expect(totalsOf(spans)).toMatchObject({ usage: { input: 1 }, cost: { nanoUsd: 1 } });
  });
});

function totalsOf(spans: readonly SpanRecord[]): { usage: UsageSum; cost: CostSum } {
  const below = bearsBelow(spans);
  const usage = emptyUsageSum();
  const cost = emptyCostSum();
  for (const one of spans) {
    const adds = contributionOf(one, below.get(spanKey(one)) ?? 0);
    if (adds?.usage !== undefined) addUsage(usage, adds.usage);
    if (adds?.nanoUsd !== undefined) addCost(cost, adds.nanoUsd);
    if (adds?.unpriced) addCost(cost, undefined);
  }
  return { usage, cost };
}

/** Every span that reaches `one` by following parents gives its bits. */
function bruteForceBelow(one: SpanRecord, spans: readonly SpanRecord[]): number {
  const byKey = new Map(spans.map((each) => [spanKey(each), each]));
  const parent = (of: SpanRecord): SpanRecord | undefined =>
    of.parentSpanId === of.spanId ? undefined : byKey.get(`${of.traceId}/${of.parentSpanId}`);
  let bits = 0;
  for (const start of spans) {
    let above = parent(start);
    for (let step = 0; step <= spans.length && above !== undefined; step++, above = parent(above)) {
      if (above === one) bits |= bearsOf(start);
    }
  }
  return bits;
}

/** Small forests with roots, orphans, self-parents and cycles, in two traces, and the same in another order. */
function histories(): fc.Arbitrary<[SpanRecord[], SpanRecord[]]> {
  const kinds: SpanKind[] = ["agent", "llm", "tool", "internal"];
  const one = fc.record({
    parent: fc.integer({ min: 0, max: 9 }),
    trace: fc.constantFrom("a", "a", "a", "b"),
    kind: fc.constantFrom(...kinds),
    usage: fc.option(fc.record({ input: fc.nat({ max: 2 }) }), { nil: undefined }),
    nanoUsd: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
  });
  return fc.array(one, { maxLength: 8 }).chain((seeds) => {
    const spans = seeds.map(({ parent, trace, kind, usage, nanoUsd }, index) => ({
      ...span(index + 1, parent || undefined, kind, usage, nanoUsd),
      traceId: trace.repeat(32),
    }));
    return fc.tuple(fc.constant(spans), fc.shuffledSubarray(spans, { minLength: spans.length }));
  });
}

function span(
  id: number,
  parent: number | undefined,
  kind: SpanKind,
  usage?: TokenUsage,
  nanoUsd?: number,
): SpanRecord {
  const cost: Cost | undefined = nanoUsd === undefined ? undefined : { nanoUsd, source: "computed" };
  return makeSpan({
    spanId: spanIdOf(id),
    ...(parent !== undefined && { parentSpanId: spanIdOf(parent) }),
    kind,
    ...(usage !== undefined && { usage }),
    ...(cost !== undefined && { cost }),
  });
}

function spanIdOf(id: number): string {
  return id.toString(16).padStart(16, "0");
}
