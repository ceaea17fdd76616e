import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeAll, expect, test } from "vitest";
import { createWorkflowTracer, type WorkflowTracer } from "../create-workflow-tracer.ts";
import type { Problem } from "../problems.ts";
import { collectingSink } from "../sinks.test-support.ts";
import { spanProcessor } from "./host-span-processor.ts";
import type { OtelSpanProcessor } from "./otel-span.ts";
import { redactingExporter } from "./redacting-exporter.ts";

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterEach(() => trace.disable());

function setUp(options: { all?: boolean } = {}) {
  const sink = collectingSink();
  const problems: Problem[] = [];
  const tracer = createWorkflowTracer({ store: sink, onProblem: (problem) => void problems.push(problem) });
  return { sink, problems, tracer, processor: spanProcessor(tracer, options) };
}

function hostProvider(processors: (OtelSpanProcessor | SimpleSpanProcessor)[]): BasicTracerProvider {
  const provider = new BasicTracerProvider({ spanProcessors: processors });
  trace.setGlobalTracerProvider(provider);
  return provider;
}

/** As an instrumentation of a model's client would. */
function callModel(): void {
  const span = trace.getTracer("openai-instrumentation").startSpan("chat gpt-4.1-mini", {
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "gpt-4.1-mini",
      "gen_ai.provider.name": "openai",
      "gen_ai.input.messages": JSON.stringify([
        { role: "user", parts: [{ type: "text", content: "my prompt" }] },
      ]),
      "gen_ai.prompt.0.content": "my prompt",
      "ai.response.text": "my answer",
      "output.value": "my answer",
      "llm.output_messages.0.message.content": "my answer",
      "http.request.header.authorization": "Bearer abcdefghijklmnopqrstuvwxyz0123456789",
      "server.address": "api.example.com",
    },
  });
  span.addEvent("gen_ai.user.message", { content: "my prompt" });
  span.addEvent("cache", { hit: true });
  span.recordException(new Error("key sk-proj-abcdefghijklmnopqrstuvwx1234 was refused"));
  span.setAttributes({ "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 2 });
  span.setStatus({ code: 2, message: "key sk-proj-abcdefghijklmnopqrstuvwx1234 was refused" });
  span.end();
}

function inNode(tracer: WorkflowTracer): Promise<void> {
  return tracer.execution({ workflowId: "w" }, (execution) =>
    execution.node({ id: "n" }, async () => {
      await Promise.resolve();
      callModel();
    }),
  );
}

test("spans of a provider of the host that run in a node are stored with it, normalised; others are not", async () => {
  const { sink, tracer, processor } = setUp();
  hostProvider([processor]);
  trace.getTracer("host").startSpan("outside").end();
  await inNode(tracer);
  await tracer.flush();
  const llm = sink.span("chat gpt-4.1-mini");
  expect(llm).toMatchObject({
    kind: "llm",
    model: "gpt-4.1-mini",
    usage: { input: 10, output: 2 },
    nodeId: "n",
    workflowId: "w",
    parentSpanId: sink.span("n").spanId,
    executionId: sink.span("w").executionId,
    input: { format: "messages" },
  });
  expect(JSON.stringify(sink.spans())).not.toContain("abcdefghijklmnopqrstuvwx");
  expect(sink.spans()).toHaveLength(3);
});

test("with `all`, spans outside of executions are kept, too, under the id of their trace", async () => {
  const { sink, tracer, processor } = setUp({ all: true });
  hostProvider([processor]);
  trace.getTracer("host").startActiveSpan("outside", (span) => {
    callModel();
    span.end();
  });
  await tracer.flush();
  const outside = sink.span("outside");
  expect(outside.executionId).toBe(outside.traceId);
  expect(sink.span("chat gpt-4.1-mini")).toMatchObject({ kind: "llm", parentSpanId: outside.spanId });
});

test("a wrapped exporter of the host gets keys and figures, and neither content nor secrets", async () => {
  const { tracer, processor, problems } = setUp();
  const exported = new InMemorySpanExporter();
  hostProvider([processor, new SimpleSpanProcessor(redactingExporter<ReadableSpan>(exported))]);
  await inNode(tracer);
  const [span] = exported.getFinishedSpans();
  expect(span?.attributes).toEqual({
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4.1-mini",
    "gen_ai.provider.name": "openai",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 2,
    "http.request.header.authorization": expect.not.stringContaining("abcdefghijklmnop"),
    "server.address": "api.example.com",
  });
  expect(span?.droppedAttributesCount).toBe(5);
  expect(span?.events.map(({ name, attributes }) => [name, attributes])).toMatchObject([
    ["gen_ai.user.message", {}],
    ["cache", { hit: true }],
    ["exception", { "exception.type": "Error" }],
  ]);
  expect(span).toMatchObject({ name: "chat gpt-4.1-mini", kind: 0, ended: true, status: { code: 2 } });
  expect(span?.duration).toEqual([expect.any(Number), expect.any(Number)]);
  expect(span?.parentSpanContext?.spanId).toMatch(/^[0-9a-f]{16}$/);
  expect(JSON.stringify([span?.attributes, span?.events, span?.status])).not.toMatch(
    /my prompt|my answer|abcdefghijklmnopqrstuvwx/,
  );
  expect(problems).toEqual([]);
});

test("content passes a wrapped exporter when the host says so, and secrets still do not", async () => {
  const { tracer } = setUp();
  const exported = new InMemorySpanExporter();
  hostProvider([new SimpleSpanProcessor(redactingExporter<ReadableSpan>(exported, { content: true }))]);
  await inNode(tracer);
  const text = JSON.stringify(
    exported.getFinishedSpans().map(({ attributes, events }) => [attributes, events]),
  );
  expect(text).toContain("my prompt");
  expect(text).not.toContain("abcdefghijklmnopqrstuvwx");
});

test("the host is told once when content leaves through an exporter that is not wrapped", async () => {
  const { tracer, processor, problems } = setUp();
  hostProvider([processor, new SimpleSpanProcessor(new InMemorySpanExporter())]);
  trace.getTracer("host").startSpan("harmless").end();
  expect(problems).toEqual([]);
  await inNode(tracer);
  await inNode(tracer);
  expect(problems).toMatchObject([
    { code: "content_exposed", message: expect.stringContaining("redactingExporter"), count: 1 },
  ]);
});

test("a provider of the host that shuts down delivers what waits, and leaves the tracer running", async () => {
  const { sink, tracer, processor } = setUp();
  const provider = hostProvider([processor]);
  await inNode(tracer);
  await provider.forceFlush();
  expect(sink.spans()).toHaveLength(3);
  await provider.shutdown();
  tracer.execution({ workflowId: "later" }, () => 1);
  await tracer.flush();
  expect(sink.span("later").executionStatus).toBe("completed");
});
