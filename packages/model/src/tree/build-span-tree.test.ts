import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hostileTraces, makeSpan, makeTrace, sampleTrace } from "../fixtures/index.ts";
import { type SpanRecord, spanKey } from "../span.ts";
import { compareNanos } from "../time.ts";
import { buildSpanTree, preOrder, type SpanTree } from "./build-span-tree.ts";

describe("buildSpanTree", () => {
  it("keeps every span exactly once and parents before children, for any set of spans", () => {
    fc.assert(
      fc.property(anySpans(), (spans) => expectSound(buildSpanTree(spans), spans)),
      { numRuns: 1_000 },
    );
  });

  it("gives the same tree in any order of arrival", () => {
    const shuffled = anySpans().chain((spans) => {
      const unique = [...new Map(spans.map((span) => [spanKey(span), span])).values()];
      return fc.tuple(fc.constant(unique), fc.shuffledSubarray(unique, { minLength: unique.length }));
    });
    fc.assert(
      fc.property(shuffled, ([spans, disorder]) => {
        expect(drawing(buildSpanTree(disorder))).toEqual(drawing(buildSpanTree(spans)));
      }),
      { numRuns: 500 },
    );
  });

  it("gives any order of siblings by start, then id", () => {
    fc.assert(
      fc.property(anySpans(), (spans) => {
        const tree = buildSpanTree(spans);
        for (const siblings of [tree.roots, ...Array.from(tree.nodes.values(), (node) => node.children)]) {
          for (const [index, node] of siblings.entries()) {
            const next = siblings[index + 1];
            if (next === undefined) continue;
            const order = compareNanos(node.span.startTime, next.span.startTime);
            expect(order < 0 || (order === 0 && node.span.spanId <= next.span.spanId)).toBe(true);
          }
        }
      }),
    );
  });

  it.each(hostileTraces().map(({ name, spans }): [string, SpanRecord[]] => [name, spans]))(
    "stands %s",
    (_name, spans) => expectSound(buildSpanTree(spans), spans),
  );

  it("says what it found: orphans, cycles, duplicates", () => {
    const trees = new Map(hostileTraces().map(({ name, spans }) => [name, buildSpanTree(spans)]));
    expect(trees.get("orphans")).toMatchObject({ orphans: 2, cycles: 0, duplicates: 0 });
    expect(trees.get("cycle")).toMatchObject({ orphans: 0, cycles: 1, duplicates: 0 });
    expect(trees.get("duplicate ids")).toMatchObject({ orphans: 0, cycles: 0, duplicates: 1 });
    expect(trees.get("self-parent")).toMatchObject({ orphans: 0, cycles: 0 });
    expect(trees.get("duplicate ids")?.nodes.get(`${makeSpan().traceId}/0000000000000002`)?.span.name).toBe(
      "ended twin",
    );
  });

  it("cuts a cycle above its earliest member and keeps what hangs below", () => {
    const [one, two, three, four] = ["1", "2", "3", "4"].map((id) => id.padStart(16, "0"));
    const spans = [
      makeSpan({ spanId: one, parentSpanId: three, startTime: "30" }),
      makeSpan({ spanId: two, parentSpanId: one, startTime: "10" }),
      makeSpan({ spanId: three, parentSpanId: two, startTime: "20" }),
      makeSpan({ spanId: four, parentSpanId: three, startTime: "1" }),
    ];
    const tree = buildSpanTree(spans);
    expect(tree.roots).toMatchObject([{ span: { spanId: two }, detached: "cycle", descendantCount: 3 }]);
    expect(preOrder(tree.roots).map((node) => node.span.spanId)).toEqual([two, three, four, one]);
  });

  it("shows the sample with its real shape", () => {
    const tree = buildSpanTree(sampleTrace());
    expect(tree.roots).toHaveLength(1);
    expect(tree.roots[0]).toMatchObject({ depth: 0, descendantCount: 25, span: { kind: "workflow" } });
    expect(tree.roots[0]?.children.map(({ span }) => span.nodeId)).toEqual([
      "load-documents",
      "extract-fields",
      "check-vendor",
      "extract-fields",
      "match-order",
      "approve",
    ]);
  });

  it("stands a chain of 100,000, and a cycle of 100,000", () => {
    const chain = Array.from({ length: 100_000 }, (_, index) => link(index + 1, index));
    const last = buildSpanTree(chain).nodes.get(spanKey(chain.at(-1) as SpanRecord));
    expect(last?.depth).toBe(99_999);
    const ring = [link(1, 100_000), ...chain.slice(1)];
    const tree = buildSpanTree(ring);
    expect(tree).toMatchObject({ cycles: 1, orphans: 0 });
    expect(tree.roots[0]?.descendantCount).toBe(99_999);
  });

  it("takes 10,000 spans in any order", () => {
    const spans = makeTrace({ spans: 10_000 });
    expectSound(buildSpanTree([...spans].reverse()), spans);
  });
});

function expectSound(tree: SpanTree<SpanRecord>, spans: readonly SpanRecord[]): void {
  const keys = new Set(spans.map(spanKey));
  const order = preOrder(tree.roots);
  expect(order.map((node) => node.key).sort()).toEqual([...keys].sort());
  expect(new Set(tree.nodes.keys())).toEqual(keys);
  expect(tree.duplicates).toBe(spans.length - keys.size);
  const place = new Map(order.map((node, index) => [node, index]));
  for (const [index, node] of order.entries()) {
    expect(place.get(node.parent ?? node)).toBeLessThanOrEqual(index);
    expect(node.depth).toBe(node.parent === undefined ? 0 : node.parent.depth + 1);
    expect(node.descendantCount).toBe(
      node.children.reduce((sum, child) => sum + child.descendantCount + 1, 0),
    );
    if (node.parent !== undefined) expect(node.span.parentSpanId).toBe(node.parent.span.spanId);
    const known =
      keys.has(`${node.span.traceId}/${node.span.parentSpanId}`) &&
      node.span.parentSpanId !== node.span.spanId;
    if (node.parent === undefined && known) expect(node.detached).toBe("cycle");
  }
}

/** Each span of the tree as its depth, id and why it is detached. */
function drawing(tree: SpanTree<SpanRecord>): string[] {
  return preOrder(tree.roots).map(({ depth, key, detached }) => `${depth} ${key} ${detached ?? ""}`);
}

/** Roots, orphans, self-parents, cycles and duplicates, in two traces, with equal start times. */
function anySpans(): fc.Arbitrary<SpanRecord[]> {
  const id = fc.integer({ min: 1, max: 9 });
  const one = fc.record({
    id,
    parent: fc.option(id),
    trace: fc.constantFrom("a", "b"),
    start: fc.integer({ min: 8, max: 12 }),
  });
  return fc.array(one, { maxLength: 14 }).map((seeds) =>
    seeds.map(({ id, parent, trace, start }) =>
      makeSpan({
        traceId: trace.repeat(32),
        spanId: spanIdOf(id),
        ...(parent !== null && { parentSpanId: spanIdOf(parent) }),
        startTime: String(start),
      }),
    ),
  );
}

function link(id: number, parent: number): SpanRecord {
  return makeSpan({ spanId: spanIdOf(id), ...(parent > 0 && { parentSpanId: spanIdOf(parent) }) });
}

function spanIdOf(id: number): string {
  return id.toString(16).padStart(16, "0");
}
