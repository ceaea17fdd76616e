import { context, type Span, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { collectingSink } from "../sinks.test-support.ts";
import { mirrorTo } from "./mirror-to.ts";

const exporter = new InMemorySpanExporter();
const host = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(host);
});

afterAll(async () => {
  await host.shutdown();
  trace.disable();
  context.disable();
});

function inHostSpan<T>(work: (span: Span) => T): T {
  return trace.getTracer("host").startActiveSpan("request", (span) => {
    try {
      return work(span);
    } finally {
      span.end();
    }
  });
}

test("an execution is a trace of its own, which links to the span it was started under", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  const caller = inHostSpan((span) => {
    tracer.execution({ workflowId: "w" }, () => undefined);
    return span.spanContext();
  });
  await tracer.flush();
  const root = sink.span("w");
  expect(root.traceId).not.toBe(caller.traceId);
  expect(root.traceId).toMatch(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  expect(root.parentSpanId).toBeUndefined();
  expect(root.links).toMatchObject([{ traceId: caller.traceId, spanId: caller.spanId }]);
});

test("joinActiveTrace makes it a part of the caller's trace instead", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  const caller = inHostSpan((span) => {
    tracer.execution({ workflowId: "w", joinActiveTrace: true }, () => undefined);
    return span.spanContext();
  });
  await tracer.flush();
  expect(sink.span("w")).toMatchObject({ traceId: caller.traceId, parentSpanId: caller.spanId, links: [] });
  expect(sink.span("w").executionStatus).toBe("completed");
});

test("spans that the host's own instrumentation starts inside a node become children of the node", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  exporter.reset();
  await tracer.execution({ workflowId: "w" }, (execution) =>
    execution.node({ id: "n" }, async () => {
      await Promise.resolve();
      trace.getTracer("http").startSpan("GET /orders").end();
    }),
  );
  await tracer.flush();
  const [exported] = exporter.getFinishedSpans();
  expect(exported?.parentSpanContext).toMatchObject({
    traceId: sink.span("n").traceId,
    spanId: sink.span("n").spanId,
  });
});

test("what other code sets on the active span is kept with it", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  tracer.execution({ workflowId: "w" }, (execution) =>
    execution.node({ id: "n", attributes: { own: 1 } }, () => {
      trace.getActiveSpan()?.setAttribute("peer.service", "orders").addEvent("cache miss", { key: "k" });
    }),
  );
  await tracer.flush();
  expect(sink.span("n").attributes).toEqual({ own: 1, "peer.service": "orders" });
  expect(sink.span("n").events).toMatchObject([{ name: "cache miss", attributes: { key: "k" } }]);
});

test("a processor of the host sees ids and figures, never content; the store's record does not repeat them", async () => {
  const sink = collectingSink();
  const seen = new InMemorySpanExporter();
  const tracer = createWorkflowTracer({ store: sink, mirror: mirrorTo(new SimpleSpanProcessor(seen)) });
  tracer.execution({ workflowId: "w", threadId: "t" }, (execution) =>
    execution.node({ id: "n" }, (node) =>
      node.llm({ model: "gpt-4.1-mini", provider: "openai", input: "the prompt" }, (llm) => {
        llm.setUsage({ input: 10, output: 2 });
        return "the answer";
      }),
    ),
  );
  await tracer.flush();
  const llm = seen.getFinishedSpans().find(({ name }) => name === "gpt-4.1-mini");
  expect(llm?.attributes).toMatchObject({
    "spanloom.span.kind": "llm",
    "spanloom.node.id": "n",
    "spanloom.workflow.id": "w",
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4.1-mini",
    "gen_ai.provider.name": "openai",
    "gen_ai.conversation.id": "t",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 2,
  });
  expect(
    JSON.stringify(seen.getFinishedSpans().map(({ attributes, events }) => [attributes, events])),
  ).not.toMatch(/the prompt|the answer/);
  expect(sink.span("gpt-4.1-mini").attributes).toEqual({});
});

test("activeSpan finds the node from code deep inside it, and only for its own tracer", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  const other = createWorkflowTracer({ store: collectingSink() });
  const deep = async (): Promise<void> => {
    await Promise.resolve();
    expect(other.activeSpan()).toBeUndefined();
    tracer.activeSpan()?.tool({ name: "deep" }, () => undefined);
  };
  await tracer.execution({ workflowId: "w" }, (execution) => execution.node({ id: "n" }, deep));
  expect(tracer.activeSpan()).toBeUndefined();
  await tracer.flush();
  expect(sink.span("deep")).toMatchObject({ nodeId: "n", parentSpanId: sink.span("n").spanId });
});
