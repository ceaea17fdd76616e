import { EventEmitter } from "node:events";
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { collectingSink } from "../sinks.test-support.ts";

/** As libraries do: they hold on to their tracer from the start. */
const library = trace.getTracer("http-library", "1.2.3");

test("in a host without OpenTelemetry, spans of instrumentations join the node they run in, and only that", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  library.startSpan("before").end();
  await tracer.execution({ workflowId: "w" }, (execution) =>
    execution.node({ id: "n" }, async () => {
      await Promise.resolve();
      await library.startActiveSpan(
        "GET /orders",
        { attributes: { "http.route": "/orders" } },
        async (span) => {
          await Promise.resolve();
          library.startSpan("connect").end();
          span.recordException(new RangeError("slow"));
          span.setStatus({ code: SpanStatusCode.ERROR, message: "504" }).end();
        },
      );
    }),
  );
  const outside = library.startSpan("after");
  expect(outside.isRecording()).toBe(false);
  outside.end();
  await tracer.flush();
  const node = sink.span("n");
  const request = sink.span("GET /orders");
  expect(request).toMatchObject({
    traceId: node.traceId,
    parentSpanId: node.spanId,
    executionId: node.executionId,
    nodeId: "n",
    workflowId: "w",
    attributes: { "http.route": "/orders" },
    status: { code: "error", message: "504" },
    instrumentation: { name: "http-library", version: "1.2.3" },
    events: [
      { name: "exception", attributes: { "exception.type": "RangeError", "exception.message": "slow" } },
    ],
  });
  expect(BigInt(request.endTime ?? 0)).toBeGreaterThanOrEqual(BigInt(request.startTime));
  expect(sink.span("connect").parentSpanId).toBe(request.spanId);
  expect(
    sink
      .spans()
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(["GET /orders", "connect", "n", "w"]);
});

test("each of several tracers gets the spans below its own nodes", async () => {
  const [left, right] = [collectingSink(), collectingSink()];
  for (const sink of [left, right]) {
    const tracer = createWorkflowTracer({ store: sink });
    tracer.execution({ workflowId: "w" }, () => library.startSpan("query").end());
    await tracer.flush();
    expect(sink.span("query").parentSpanId).toBe(sink.span("w").spanId);
  }
  expect(left.spans()).toHaveLength(2);
  expect(right.spans()).toHaveLength(2);
});

test("spans keep the times they were given, and a root of its own is none of ours", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  tracer.execution({ workflowId: "w" }, () => {
    library.startSpan("timed", { startTime: new Date(1_700_000_000_000) }).end(1_700_000_001_500);
    library.startSpan("backwards", { startTime: [1_700_000_000, 0] }).end([1_600_000_000, 0]);
    library.startSpan("relative", { startTime: performance.now() }).end();
    expect(library.startSpan("root", { root: true }).isRecording()).toBe(false);
  });
  await tracer.flush();
  expect(sink.span("timed")).toMatchObject({
    startTime: "1700000000000000000",
    endTime: "1700000001500000000",
  });
  expect(sink.span("backwards").endTime).toBe("1700000000000000000");
  const late = BigInt(Date.now()) * 1_000_000n - BigInt(sink.span("relative").startTime);
  expect(late < 60_000_000_000n && late > -60_000_000_000n).toBe(true);
});

test("bound functions run in the context they were bound to; emitters stay what they are", () => {
  const emitter = new EventEmitter();
  expect(context.bind(context.active(), emitter)).toBe(emitter);
  const tracer = createWorkflowTracer({ store: collectingSink() });
  const bound = tracer.execution({ workflowId: "w" }, () =>
    context.bind(context.active(), (a: number, b: number) => [trace.getActiveSpan()?.isRecording(), a + b]),
  );
  expect(bound(1, 2)).toEqual([false, 3]);
  expect(bound).toHaveLength(2);
  expect(trace.getActiveSpan()).toBeUndefined();
});

test("what is not recorded leaves OpenTelemetry's context alone", () => {
  const tracer = createWorkflowTracer({ store: collectingSink(), enabled: () => false });
  tracer.execution({ workflowId: "w" }, (execution) => {
    expect(trace.getActiveSpan()).toBeUndefined();
    expect(tracer.activeSpan()?.spanId).toBe(execution.spanId);
  });
});
