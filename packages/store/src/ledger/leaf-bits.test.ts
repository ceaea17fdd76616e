import { bearsBelow, bearsOf, parentOf } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { createRandom } from "../testing/random.ts";
import { factsOf, type SpanFacts } from "./facts.ts";
import { type HeldSpan, HeldTrace } from "./held.ts";
import { LeafBits, type Support } from "./leaf-bits.ts";

const IDS = ["a", "b", "c", "d"].map((letter) => letter.repeat(16));
/** Whether a span bears nothing, tokens, a cost, or both. */
const TOKENS = { usage: { input: 1 } };
const COST = { cost: { nanoUsd: 1, source: "reported" as const } };
const BEARING = [{}, TOKENS, COST, { ...TOKENS, ...COST }];

test("whatever few spans change, one after the other or together, every bit and count is the reference's", () => {
  for (let seed = 1; seed <= 4_000; seed++) {
    const random = createRandom(seed);
    const trace = new HeldTrace("f".repeat(32));
    for (let round = 0; round < 6; round++) {
      const before = new Map(Array.from(trace.spans, ([id, { below }]) => [id, below]));
      const touched = new Set<string>();
      const bits = new LeafBits((span) => void touched.add(span.facts.spanId));
      for (let changes = 1 + random.int(4); changes > 0; changes--) {
        const spanId = random.pick(IDS);
        const parent = random.chance(0.2) ? {} : { parentSpanId: random.pick(IDS) };
        const facts = factsOf(
          makeSpan({
            traceId: trace.traceId,
            spanId,
            parentSpanId: undefined,
            cost: undefined,
            usage: undefined,
            ...random.pick(BEARING),
            ...parent,
          }),
        );
        set(bits, trace, facts);
      }
      bits.finish();
      const about = `seed ${seed}, round ${round}`;
      const expected = expectedOf(trace);
      expect(
        Array.from(trace.spans, ([id, { below }]) => [id, below]),
        about,
      ).toEqual(expected.below);
      expect(new Map([...trace.support].sort()), `${about}: support`).toEqual(expected.support);
      for (const [id, { below }] of trace.spans) {
        const was = before.get(id);
        if (was !== undefined && was !== below) expect([...touched], `${about}: told of`).toContain(id);
      }
    }
  }
});

function set(bits: LeafBits, trace: HeldTrace, facts: SpanFacts): void {
  const held = trace.spans.get(facts.spanId);
  if (held === undefined) {
    const span: HeldSpan = {
      facts,
      view: facts,
      entry: entryOf(facts),
      bears: 0,
      below: 0,
      before: undefined,
    };
    trace.spans.set(facts.spanId, span);
    bits.change(trace, span, undefined);
    return;
  }
  const previous = held.facts;
  held.facts = facts;
  bits.change(trace, held, previous);
}

function entryOf({ traceId, spanId }: SpanFacts): HeldSpan["entry"] {
  return { traceId, spanId, span: undefined, insSeq: 0, seq: 0 };
}

function expectedOf(trace: HeldTrace): { below: [string, number][]; support: Map<string, Support> } {
  const all = Array.from(trace.spans.values(), ({ facts }) => facts);
  const below = bearsBelow(all);
  const support = new Map<string, Support>();
  const belowOf = ({ spanId }: SpanFacts): number => below.get(`${trace.traceId}/${spanId}`) ?? 0;
  for (const facts of all) {
    const passes = bearsOf(facts) | belowOf(facts);
    const parentId = parentOf(facts);
    if (parentId === undefined || passes === 0) continue;
    const found = support.get(parentId) ?? { tokens: 0, cost: 0 };
    support.set(parentId, { tokens: found.tokens + (passes & 1), cost: found.cost + (passes >> 1) });
  }
  return { below: all.map((facts) => [facts.spanId, belowOf(facts)]), support: new Map([...support].sort()) };
}
