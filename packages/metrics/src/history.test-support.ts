import { nanosFromMicros, SPAN_KINDS, type SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import fc from "fast-check";

const START_MICROS = Date.UTC(2026, 2, 26) * 1000;

export const ZONES = [
  "UTC",
  "Europe/Prague",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Chatham",
  "America/St_Johns",
  "America/Santiago",
  "Asia/Kolkata",
  "Pacific/Apia",
  "America/Los_Angeles",
  "Australia/Eucla",
];

const count = fc.option(fc.nat(500), { nil: undefined });

/** Records of two traces and up to three executions, some about the same span, some unnamed; five days around clock changes. */
const recordArbitrary: fc.Arbitrary<SpanRecord> = fc
  .record({
    trace: fc.nat(1),
    span: fc.nat(11),
    parent: fc.option(fc.nat(12), { nil: undefined }),
    execution: fc.nat(3),
    minute: fc.nat(5 * 24 * 60),
    lengthMicros: fc.option(fc.nat(7_200_000_000), { nil: undefined }),
    revision: fc.nat(3),
    kind: fc.constantFrom(...SPAN_KINDS),
    nodeId: fc.option(fc.constantFrom("a", "b", "__proto__"), { nil: undefined }),
    attempt: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    error: fc.boolean(),
    executionStatus: fc.option(fc.constantFrom("completed" as const, "waiting" as const), {
      nil: undefined,
      freq: 6,
    }),
    workflowId: fc.option(fc.constantFrom("w1", "w2"), { nil: undefined }),
    usage: fc.option(fc.record({ input: count, output: count, total: count }), { nil: undefined }),
    nanoUsd: count,
    model: fc.option(fc.constantFrom("m1", "m2"), { nil: undefined }),
  })
  .map(({ trace, span, parent, execution, minute, lengthMicros, error, nanoUsd, ...fields }) => {
    const traceId = "ab"[trace]?.repeat(32) ?? "";
    const start = START_MICROS + minute * 60_000_000;
    return makeSpan({
      ...fields,
      traceId,
      spanId: spanIdOf(span),
      parentSpanId: parent === undefined ? undefined : spanIdOf(parent),
      executionId: execution === 3 ? traceId : `run-${execution}`,
      startTime: nanosFromMicros(start, span),
      endTime: lengthMicros === undefined ? undefined : nanosFromMicros(start + lengthMicros, span),
      status: { code: error ? "error" : "unset" },
      cost: nanoUsd === undefined ? undefined : { nanoUsd, source: "computed" },
    });
  });

export const historyArbitrary: fc.Arbitrary<SpanRecord[]> = fc.array(recordArbitrary, {
  minLength: 1,
  maxLength: 40,
});

export function spanIdOf(number: number): string {
  return (number + 1).toString(16).padStart(16, "0");
}
