import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeTrace, sampleTrace } from "../fixtures/index.ts";
import { record } from "../record-arbitraries.test-support.ts";
import { type SpanRecord, toSkeleton } from "../span.ts";
import { decodeSpan, decodeSpans, decodeTracePage } from "./decode.ts";
import { encodeSpans, encodeTracePage } from "./wire.ts";
import { wireSkeleton, wireSpan } from "./wire-span.ts";

const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe("a span on the wire", () => {
  test("comes back as it was, whatever it holds", () => {
    fc.assert(
      fc.property(record, (span) => {
        // Valibot drops these from records of any keys; provenance has the names of fields, and none is called so.
        for (const name of ["constructor", "prototype", "__proto__"]) {
          fc.pre(!Object.hasOwn(span.provenance ?? {}, name));
        }
        // Money is exact up to 8.3 million USD.
        const amounts = [span.cost?.nanoUsd, ...Object.values(span.cost?.parts ?? {})];
        fc.pre(amounts.every((nanoUsd = 0) => nanoUsd < 8.3e15));
        expect(decodeSpan(overTheWire(wireSpan.encode(span)))).toEqual(overTheWire(span));
        expect(wireSkeleton.decode(overTheWire(wireSkeleton.encode(span)))).toEqual(
          overTheWire(toSkeleton(span)),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("money is exact to the nano-USD", () => {
    const [span] = makeTrace({ spans: 1 });
    for (const nanoUsd of [0, 1, 3, 4_222_124_413_400_807, 8_299_999_999_999_999]) {
      const priced = { ...span, cost: { nanoUsd, source: "reported" } } as SpanRecord;
      expect(decodeSpan(overTheWire(wireSpan.encode(priced))).cost?.nanoUsd).toBe(nanoUsd);
    }
  });

  test("has names in snake_case, RFC 3339 times and USD; the host's own keys stay", () => {
    const [span] = makeTrace({ spans: 1 });
    const wire = wireSpan.encode({
      ...span,
      parentSpanId: "b".repeat(16),
      startTime: "1795167000000000001",
      cost: { nanoUsd: 1_500_000_000, source: "computed", parts: { cachedInput: 1 } },
      attributes: { myKey: { innerKey: 1 } },
      output: {
        format: "messages",
        state: "captured",
        messages: [
          {
            role: "user",
            finishReason: "stop",
            parts: [{ type: "media", mimeType: "image/png", sizeBytes: 3 }],
          },
        ],
      },
    } as SpanRecord);
    expect(wire).toMatchObject({
      parent_id: "b".repeat(16),
      start_time: "2026-11-20T09:30:00.000000001Z",
      cost: { usd: 1.5, parts: { cached_input: 1e-9 } },
      attributes: { myKey: { innerKey: 1 } },
      output: {
        messages: [
          { finish_reason: "stop", parts: [{ type: "media", mime_type: "image/png", size_bytes: 3 }] },
        ],
      },
    });
  });

  test.each<[string, unknown, string]>([
    ["startTime", { start_time: "yesterday" }, "startTime"],
    ["a number for a time", { start_time: 5 }, "startTime"],
    ["nanoseconds for a time", { end_time: "1795167000000000001" }, "endTime"],
    ["null for a time", { end_time: null }, "endTime"],
    ["an unknown kind", { kind: "dragon" }, "kind"],
    [
      "parts that are none",
      { input: { format: "messages", state: "captured", messages: [{ role: "u", parts: [null] }] } },
      "input",
    ],
    ["content that is none", { output: 7 }, "output"],
    ["events that are none", { events: {} }, "events"],
  ])("%s is refused by name", (_, fields, name) => {
    const [wire] = encodeSpans(sampleTrace()).spans;
    expect(() => decodeSpan({ ...wire, ...(fields as object) })).toThrow(name);
  });

  test.each([null, 7, "x", [], {}, { spans: 1 }])("%j is no body of spans", (body) => {
    expect(() => decodeSpans(body)).toThrow("not what this version");
  });
});

test("a trace page comes back as it was, with tokens and artifacts beside its spans", () => {
  const spans = sampleTrace();
  const sums = {
    usage: {
      items: 0,
      known: { input: 0, output: 0, cachedInput: 0, cacheWrite: 0, reasoning: 0, total: 0 },
    },
    cost: { priced: 0, unpriced: 0 },
  };
  const execution = {
    executionId: "e",
    status: "completed" as const,
    traceIds: ["a", "b"],
    startTime: "1",
    spanCount: spans.length,
    openSpanCount: 0,
    errorCount: 0,
    nodeCount: 0,
    seq: 3,
    ...sums,
  };
  const page = { execution, spans, asOfSeq: 3, spanCount: 900, nextCursor: "more" };
  const wire = overTheWire(encodeTracePage(page, "full"));
  expect(decodeTracePage(wire, "full")).toEqual(page);
  expect(wire).toMatchObject({ trace_id: "b" });
  const used = spans.filter((span) => span.usage !== undefined);
  expect(wire).toHaveProperty("tokens.by_span.length", used.length);
  expect(wire).toHaveProperty("tokens.by_span.0.span_id", used[0]?.spanId);
});
