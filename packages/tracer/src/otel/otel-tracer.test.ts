import { trace } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { otelTracer } from "../otel.ts";
import { joinTrace } from "../propagate/index.ts";
import { collectingSink } from "../sinks.test-support.ts";

const caller = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };

test("spans of an instrumentation that was given the tracer stand where the host's code is, with its content", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  const given = otelTracer(tracer);
  await tracer.execution({ workflowId: "w" }, (execution) =>
    execution.node({ id: "n" }, () =>
      given.startActiveSpan("outer", { attributes: { "gen_ai.operation.name": "chat" } }, async (outer) => {
        given.startSpan("inner").setAttribute("step", 1).end();
        outer.recordException(new Error("refused"));
        outer.end();
      }),
    ),
  );
  await tracer.flush();
  const { executionId } = sink.span("w");
  const outer = sink.span("outer");
  expect(outer).toMatchObject({ executionId, kind: "llm", nodeId: "n", parentSpanId: sink.span("n").spanId });
  expect(outer.events).toMatchObject([{ name: "exception", attributes: { "exception.message": "refused" } }]);
  expect(sink.span("inner")).toMatchObject({
    executionId,
    nodeId: "n",
    parentSpanId: outer.spanId,
    attributes: { step: 1 },
  });
});

test("below an execution that is switched off, and with a tracer that is off, nothing is recorded", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  const given = otelTracer(tracer);
  tracer.execution({ workflowId: "on" }, (on) =>
    on.run(() =>
      tracer.execution({ workflowId: "off", enabled: false }, () =>
        given.startActiveSpan("outer", (outer) => {
          given.startSpan("inner").end();
          outer.end();
        }),
      ),
    ),
  );
  const off = createWorkflowTracer({ store: sink, enabled: () => false });
  otelTracer(off).startSpan("alone").end();
  expect(joinTrace(off, caller, { name: "joined" }, () => 1)).toBe(1);
  await Promise.all([tracer.flush(), off.flush()]);
  expect(sink.spans().map(({ name }) => name)).toEqual(["on"]);
});

test("spans of other instrumentations join what another process asked for, as they join an execution", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  joinTrace(tracer, caller, { name: "joined" }, () => trace.getTracer("http").startSpan("GET").end());
  await tracer.flush();
  const joined = sink.span("joined");
  expect(joined).toMatchObject({
    traceId: caller.traceparent.slice(3, 35),
    parentSpanId: "b7ad6b7169203331",
  });
  expect(sink.span("GET")).toMatchObject({ traceId: joined.traceId, parentSpanId: joined.spanId });
});
