import { mergeCostSums, mergeUsageSums, type SpanRecord } from "@spanloom/model";
import { makeSpan, makeTrace, sampleTrace } from "@spanloom/model/fixtures";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { currentSpans } from "./effective-execution.ts";
import { historyArbitrary, spanIdOf } from "./history.test-support.ts";
import { computeRunMetrics } from "./run-metrics.ts";
import { summarizeExecution } from "./summarize-execution.ts";
import { emptySums } from "./sums.ts";

const TRACE = makeSpan().traceId;

function span(number: number, parent?: number, fields: Partial<SpanRecord> = {}): SpanRecord {
  return makeSpan({
    spanId: spanIdOf(number),
    ...(parent !== undefined && { parentSpanId: spanIdOf(parent) }),
    executionId: "run-1",
    name: `span ${number}`,
    startTime: `${1000 + number}000000`,
    endTime: `${2000 + number}000000`,
    ...fields,
  });
}

function summarize(...spans: SpanRecord[]) {
  return summarizeExecution("run-1", currentSpans(spans), 7);
}

describe("properties of any history", () => {
  test("order and repetition of records change nothing", () => {
    const shuffledTwice = historyArbitrary.chain((history) =>
      fc.tuple(
        fc.constant(history),
        fc.shuffledSubarray([...history, ...history], { minLength: history.length * 2 }),
      ),
    );
    fc.assert(
      fc.property(shuffledTwice, ([history, other]) => {
        const left = currentSpans(history);
        const right = currentSpans(other);
        const ids = new Set(left.map((one) => one.executionId));
        expect(new Set(right.map((one) => one.executionId))).toEqual(ids);
        for (const id of ids) {
          expect(summarizeExecution(id, right, 1)).toEqual(summarizeExecution(id, left, 1));
          expect(computeRunMetrics(id, right, 1)).toEqual(computeRunMetrics(id, left, 1));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("nodes and what is outside of them add up to the totals; stages say the same", () => {
    fc.assert(
      fc.property(historyArbitrary, (history) => {
        const spans = currentSpans(history);
        for (const id of new Set(spans.map((one) => one.executionId))) {
          const detail = summarizeExecution(id, spans, 1);
          const sums = emptySums();
          for (const part of [...detail.nodes, detail.outsideNodes]) {
            mergeUsageSums(sums.usage, part.usage);
            mergeCostSums(sums.cost, part.cost);
          }
          expect(sums).toEqual({ usage: detail.usage, cost: detail.cost });
          expect(detail.nodeCount).toBe(detail.nodes.length);
          const metrics = computeRunMetrics(id, spans, 1);
          expect(
            metrics.stages.map((stage) => [stage.nodeId, stage.usage, stage.cost, stage.status]),
          ).toEqual(detail.nodes.map((node) => [node.nodeId, node.usage, node.cost, node.status]));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("every span is in exactly one execution, and none is left unnamed beside a name", () => {
    fc.assert(
      fc.property(historyArbitrary, (history) => {
        const spans = currentSpans(history);
        const ids = new Set(spans.map((one) => one.executionId));
        const counted = [...ids].map((id) => summarizeExecution(id, spans, 1).spanCount);
        expect(counted.reduce((sum, one) => sum + one, 0)).toBe(spans.length);
        for (const traceId of new Set(spans.map((one) => one.traceId))) {
          const named = spans.filter((one) => one.traceId === traceId && one.executionId !== traceId);
          if (named.length > 0) expect(ids.has(traceId)).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("status and time", () => {
  const root = span(1, undefined, {
    kind: "workflow",
    executionStatus: "completed",
    workflowId: "w",
    threadId: "t",
  });

  test.each([
    ["the status its tracer gave", { executionStatus: "cancelled" }, "cancelled"],
    ["what its end says where no tracer did", { executionStatus: undefined }, "completed"],
    [
      "failed by an error where no tracer said",
      { executionStatus: undefined, status: { code: "error" } },
      "failed",
    ],
    ["what the tracer said, also with an error", { status: { code: "error" } }, "completed"],
    ["lost with its process", { syntheticEnd: "process_lost" }, "lost"],
    ["failed by a time-out", { syntheticEnd: "timed_out" }, "failed"],
    ["running while open", { endTime: undefined, executionStatus: "completed" }, "running"],
    ["waiting while open", { endTime: undefined, executionStatus: "waiting" }, "waiting"],
    ["queued while open", { endTime: undefined, executionStatus: "queued" }, "queued"],
  ] as [string, Partial<SpanRecord>, string][])("%s", (_, fields, status) => {
    const detail = summarize({ ...root, ...fields });
    expect(detail.status).toBe(status);
    expect(detail.segments[0]?.status).toBe(status);
  });

  test("a resumed execution runs from its first start to its last end, as its first segment says", () => {
    const waiting = { ...root, executionStatus: "waiting" } as SpanRecord;
    const resumed = span(9, undefined, {
      traceId: "c".repeat(32),
      kind: "workflow",
      executionStatus: "failed",
      workflowId: "other",
    });
    const detail = summarize(resumed, span(2, 1), waiting);
    expect(detail).toMatchObject({
      status: "failed",
      workflowId: "w",
      threadId: "t",
      rootSpanId: spanIdOf(1),
      traceIds: [TRACE, "c".repeat(32)],
      startTime: "1001000000",
      endTime: "2009000000",
      durationMs: 1008,
      service: "sample-host",
      serviceVersion: "1.4.0",
    });
    expect(detail.segments.map((segment) => segment.status)).toEqual(["waiting", "failed"]);
  });

  test("where a tracer names roots, other workflow spans are none", () => {
    const detail = summarize(span(0, undefined, { kind: "workflow", workflowId: "foreign" }), root);
    expect(detail.segments).toHaveLength(1);
    expect(detail).toMatchObject({ workflowId: "w", spanCount: 2 });
  });

  test("without one, a workflow span beats an earlier parentless one", () => {
    const detail = summarize(span(0), span(5, 4, { kind: "workflow", workflowId: "w" }));
    expect(detail.rootSpanId).toBe(spanIdOf(5));
  });

  test("orphans alone: their extremes stand in", () => {
    expect(summarize(span(3, 1), span(2, 1))).toMatchObject({
      status: "completed",
      startTime: "1002000000",
      endTime: "2003000000",
      durationMs: 1001,
      segments: [],
    });
    const open = summarize(span(3, 1), span(2, 1, { endTime: undefined, status: { code: "error" } }));
    expect(open).toMatchObject({ status: "running", openSpanCount: 1, errorCount: 1 });
    expect(open).not.toHaveProperty("endTime");
    expect(open).not.toHaveProperty("rootSpanId");
    expect(summarize(span(3, 1, { status: { code: "error" } })).status).toBe("failed");
  });

  test("the environment comes from either spelling of its key", () => {
    const attributes = { "deployment.environment": "staging" };
    expect(summarize({ ...root, resource: { attributes } }).environment).toBe("staging");
    const both = { ...attributes, "deployment.environment.name": "production" };
    expect(summarize({ ...root, resource: { attributes: both } }).environment).toBe("production");
  });
});

describe("nodes", () => {
  const node = { kind: "node", nodeId: "n" } as const;
  const failed = { status: { code: "error" } } as const;

  test("an attempt that worked mends one that failed", () => {
    const detail = summarize(
      span(1, 0, { ...node, ...failed, attempt: 1 }),
      span(2, 0, { ...node, attempt: 2 }),
    );
    expect(detail.nodes).toMatchObject([{ status: "completed", attempts: 2, errorCount: 1, spanCount: 2 }]);
    expect(summarize(span(2, 0, { ...node, ...failed }), span(1, 0, node)).nodes[0]?.status).toBe("failed");
  });

  test("a node runs while a node span is open, whatever others do", () => {
    const detail = summarize(
      span(1, 0, { ...node, endTime: undefined }),
      span(2, 1, { nodeId: "n", ...failed }),
    );
    expect(detail.nodes[0]).toMatchObject({ status: "running", startTime: "1001000000" });
    expect(detail.nodes[0]).not.toHaveProperty("endTime");
    const child = summarize(span(1, 0, node), span(2, 1, { nodeId: "n", endTime: undefined }));
    expect(child.nodes[0]).toMatchObject({ status: "completed", endTime: "2001000000" });
  });

  test("without node spans, its other spans say what became of it", () => {
    const call = { nodeId: "n", kind: "llm" } as const;
    expect(summarize(span(1, 0, call), span(2, 0, { ...call, ...failed })).nodes[0]?.status).toBe("failed");
    expect(summarize(span(1, 0, call)).nodes[0]).toMatchObject({ status: "completed", attempts: 1 });
    expect(summarize(span(1, 0, { ...call, endTime: undefined })).nodes[0]?.status).toBe("running");
  });

  test("nodes come in the order of their starts; unknown cost stays unknown", () => {
    const usage = { input: 5, output: 2 };
    const detail = summarize(
      span(3, 0, { ...node, nodeId: "later" }),
      span(1, 0, { ...node, nodeId: "sooner" }),
      span(2, 1, { kind: "llm", nodeId: "sooner", usage }),
    );
    expect(detail.nodes.map((one) => one.nodeId)).toEqual(["sooner", "later"]);
    expect(detail.nodes.map((one) => one.cost)).toEqual([
      { priced: 0, unpriced: 1 },
      { priced: 0, unpriced: 0 },
    ]);
    expect(detail.usage).toMatchObject({ items: 1, input: 5, output: 2, total: 7 });
    expect(detail.usage).not.toHaveProperty("cachedInput");
  });

  test("usage counts once, also below another execution's spans of the trace", () => {
    const agent = span(1, 0, { kind: "agent", usage: { input: 30 } });
    const call = span(2, 1, { kind: "llm", usage: { input: 30 }, executionId: "inner" });
    expect(summarize(agent).usage.input).toBe(30);
    expect(summarize(agent, call).usage.items).toBe(0);
    const spans = currentSpans([agent, call]);
    expect(summarizeExecution("inner", spans, 1).usage.input).toBe(30);
  });
});

test("the sample trace adds up to what its model calls used", () => {
  const spans = sampleTrace();
  const id = spans[0]?.executionId ?? "";
  const detail = summarizeExecution(id, spans, 3);
  const calls = spans.filter((one) => one.executionId === id && one.kind === "llm");
  expect(detail.usage.output).toBe(calls.reduce((sum, call) => sum + (call.usage?.output ?? 0), 0));
  expect(detail).toMatchObject({ spanCount: spans.filter((one) => one.executionId === id).length, seq: 3 });
});

test("a summary knows neither other executions' spans nor their traces", () => {
  const one = makeTrace({ spans: 30, seed: 1, executionId: "one" });
  const two = makeTrace({ spans: 30, seed: 2, executionId: "two" });
  expect(summarizeExecution("one", [...one, ...two], 1)).toEqual(summarizeExecution("one", one, 1));
});
