import type { SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { currentSpans, isUnnamed, namingSpan } from "./effective-execution.ts";
import { spanIdOf } from "./history.test-support.ts";

const TRACE = makeSpan().traceId;

function span(number: number, executionId: string, fields: Partial<SpanRecord> = {}): SpanRecord {
  return makeSpan({ spanId: spanIdOf(number), executionId, startTime: `${1000 + number}`, ...fields });
}

const child = { parentSpanId: spanIdOf(99) };

test("unnamed spans belong to their trace's least named span: a root, then a parentless one, then the earliest", () => {
  const steps = [
    span(8, "a later child's", child),
    span(7, "a child's", child),
    span(6, "a parentless span's"),
    span(5, "a self-parent's", { parentSpanId: spanIdOf(5) }),
    span(9, "a root's", { ...child, executionStatus: "running" }),
    span(4, "an earlier root's", { ...child, executionStatus: "failed" }),
  ];
  const given: SpanRecord[] = [span(1, TRACE)];
  for (const step of steps) {
    given.unshift(step);
    const unnamed = currentSpans(given).find((one) => one.spanId === spanIdOf(1));
    expect(unnamed?.executionId).toBe(step.executionId);
  }
});

test("a loser's name does not count, and other traces give no names", () => {
  const named = span(2, "run-1");
  const withdrawn = { ...named, executionId: TRACE, revision: 1 };
  const elsewhere = span(3, "run-2", { traceId: "c".repeat(32) });
  const spans = currentSpans([named, withdrawn, span(1, TRACE), elsewhere]);
  expect(spans.map((one) => one.executionId).sort()).toEqual([TRACE, TRACE, "run-2"].sort());
  expect(namingSpan([withdrawn])).toBeUndefined();
  expect([named, withdrawn].map(isUnnamed)).toEqual([false, true]);
});

test("what is given is not changed", () => {
  const unnamed = Object.freeze(span(1, TRACE));
  expect(currentSpans([unnamed, span(2, "run-1")])[0]).toEqual({ ...unnamed, executionId: "run-1" });
  expect(unnamed.executionId).toBe(TRACE);
});
