import type { SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";

/** Short hand for the chapters: span 3 of trace 1, starting at second 3. */

export const TRACE: string = traceIdOf(1);

export function traceIdOf(number: number): string {
  return `a${number.toString(16).padStart(31, "0")}`;
}

export function spanIdOf(number: number): string {
  return `b${number.toString(16).padStart(15, "0")}`;
}

/** Seconds after 2026-11-20T09:30:00Z. */
export function at(seconds: number): string {
  return (1_795_167_000_000_000_000n + BigInt(Math.round(seconds * 1e9))).toString();
}

/** A finished span of `run-1` in trace 1; starts at second `number`, lasts one second, hangs below `parent`. */
export function span(number: number, parent?: number, fields: Partial<SpanRecord> = {}): SpanRecord {
  return makeSpan({
    traceId: TRACE,
    spanId: spanIdOf(number),
    ...(parent !== undefined && { parentSpanId: spanIdOf(parent) }),
    executionId: "run-1",
    name: `span ${number}`,
    startTime: at(number),
    endTime: at(number + 1),
    ...fields,
  });
}

/** The root of an execution in a trace of its own. */
export function root(executionId: string, number: number, fields: Partial<SpanRecord> = {}): SpanRecord {
  return span(number, undefined, {
    traceId: traceIdOf(number),
    executionId,
    kind: "workflow",
    executionStatus: "completed",
    workflowId: "workflow-1",
    workflowName: "Workflow 1",
    ...fields,
  });
}

/** A model call that used `input` tokens and cost as many micro-USD. */
export function call(
  number: number,
  parent: number,
  input: number,
  fields: Partial<SpanRecord> = {},
): SpanRecord {
  return span(number, parent, {
    kind: "llm",
    usage: { input, output: 1 },
    cost: { nanoUsd: input * 1000, source: "computed" },
    provider: "harbor",
    model: "harbor-chat-4",
    ...fields,
  });
}
