import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { recordProblem, type SpanRecord } from "@spanloom/model";
import { embed, generateText, registerTelemetry, stepCountIs, streamText, tool } from "ai";
import { convertArrayToReadableStream, MockEmbeddingModelV4, MockLanguageModelV4 } from "ai/test";
import * as ai5 from "ai-5";
import { MockLanguageModelV2 } from "ai-5/test";
import * as ai6 from "ai-6";
import { MockLanguageModelV3 } from "ai-6/test";
import { expect, test } from "vitest";
import { z } from "zod";
import { createWorkflowTracer, type WorkflowTracerOptions } from "../create-workflow-tracer.ts";
import type { TracerEvent } from "../events.ts";
import type { ExecutionEnd } from "../execution-ends.ts";
import { mirrorTo } from "../otel/mirror-to.ts";
import { otelTracer } from "../otel/otel-tracer.ts";
import { collectingSink } from "../sinks.test-support.ts";
import { aiSdkTelemetry } from "./ai-sdk.ts";

const QUESTION = "How is the weather in Bergen?";
const ANSWER = "It rains in Bergen.";
const stop = { unified: "stop" as const, raw: "stop" };
const toolCalls = { unified: "tool-calls" as const, raw: "tool_calls" };
const usage = {
  inputTokens: { total: 100, noCache: 60, cacheRead: 40, cacheWrite: undefined },
  outputTokens: { total: 20, text: 15, reasoning: 5 },
};
const call = {
  type: "tool-call" as const,
  toolCallId: "call-1",
  toolName: "weather",
  input: JSON.stringify({ city: "Bergen" }),
};
const text = [
  { type: "text-start" as const, id: "1" },
  { type: "text-delta" as const, id: "1", delta: "It rains " },
  { type: "text-delta" as const, id: "1", delta: "in Bergen." },
  { type: "text-end" as const, id: "1" },
];

/** Asks for the weather first, then answers. */
function weatherModel(): MockLanguageModelV4 {
  const asked = (prompt: readonly { role: string }[]): boolean => prompt.some(({ role }) => role === "tool");
  return new MockLanguageModelV4({
    provider: "openai.responses",
    modelId: "gpt-4.1-mini",
    doGenerate: async ({ prompt }) =>
      asked(prompt)
        ? { content: [{ type: "text", text: ANSWER }], finishReason: stop, usage, warnings: [] }
        : { content: [call], finishReason: toolCalls, usage, warnings: [] },
    doStream: async ({ prompt }) => ({
      stream: convertArrayToReadableStream([
        { type: "stream-start" as const, warnings: [] },
        ...(asked(prompt) ? text : [call]),
        { type: "finish" as const, finishReason: asked(prompt) ? stop : toolCalls, usage },
      ]),
    }),
  });
}

function setUp(options: Partial<WorkflowTracerOptions> = {}) {
  const sink = collectingSink();
  const problems: unknown[] = [];
  const ends: ExecutionEnd[] = [];
  const tracer = createWorkflowTracer({
    store: sink,
    flushOnExit: false,
    onProblem: (problem) => void problems.push(problem),
    onExecutionEnd: (end) => void ends.push(end),
    ...options,
  });
  const telemetry = { integrations: aiSdkTelemetry(tracer) };
  const tools = {
    weather: tool({
      description: "The weather in a city",
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => {
        await Promise.resolve();
        tracer.activeSpan()?.span({ name: "forecast", kind: "http" }, () => undefined);
        return { city, sky: "rain" };
      },
    }),
  };
  const flushed = async (): Promise<SpanRecord[]> => {
    await tracer.flush();
    expect(
      sink
        .spans()
        .map(recordProblem)
        .filter((problem) => problem !== undefined),
    ).toEqual([]);
    expect(problems).toEqual([]);
    return sink.spans();
  };
  const above = (name: string): string | undefined =>
    sink.spans().find(({ spanId }) => spanId === sink.span(name).parentSpanId)?.name;
  return { sink, tracer, telemetry, tools, ends, flushed, above };
}

const settings = { prompt: QUESTION, system: "Be brief.", stopWhen: stepCountIs(3) };

test("an agent that calls a tool is one tree below its node, with content, usage and what the tool did", async () => {
  const { sink, tracer, telemetry, tools, ends, flushed, above } = setUp();
  const result = await tracer.execution({ workflowId: "w", executionId: "run-1" }, (execution) =>
    execution.node({ id: "agent", attempt: 2 }, () =>
      generateText({
        model: weatherModel(),
        tools,
        telemetry: { ...telemetry, functionId: "forecaster" },
        ...settings,
      }),
    ),
  );
  expect(result.text).toBe(ANSWER);
  const spans = await flushed();
  expect(
    spans.every(({ executionId, traceId }) => executionId === "run-1" && traceId === spans[0]?.traceId),
  ).toBe(true);
  expect(spans.filter(({ kind }) => kind !== "workflow").every(({ nodeId }) => nodeId === "agent")).toBe(
    true,
  );
  const [first, second] = spans.filter(({ kind }) => kind === "llm");
  expect(first).toMatchObject({
    otelKind: "client",
    provider: "openai",
    model: "gpt-4.1-mini",
    attempt: 2,
    usage: { input: 100, output: 20, cachedInput: 40 },
    finishReasons: ["tool-calls"],
    cost: { source: "computed" },
    input: { messages: [{ role: "system" }, { role: "user", parts: [{ type: "text", content: QUESTION }] }] },
    output: {
      messages: [
        { parts: [{ type: "tool_call", id: "call-1", name: "weather", arguments: { city: "Bergen" } }] },
      ],
    },
  });
  expect(second).toMatchObject({ output: { messages: [{ parts: [{ type: "text", content: ANSWER }] }] } });
  const toolSpan = sink.span("execute_tool weather");
  expect(toolSpan).toMatchObject({
    kind: "tool",
    input: { json: { city: "Bergen" } },
    output: { json: { city: "Bergen", sky: "rain" } },
  });
  const agent = spans.find(({ name }) => name.startsWith("invoke_agent"));
  expect(agent).toMatchObject({
    kind: "agent",
    agent: "forecaster",
    parentSpanId: sink.span("agent").spanId,
  });
  expect(above("forecast")).toBe("execute_tool weather");
  expect(above("execute_tool weather")).toMatch(/^step/);
  // The agent's span repeats what its two calls used.
  expect(agent?.usage).toMatchObject({ input: 200, output: 40 });
  expect(ends[0]?.usage).toMatchObject({ input: 200, output: 40, items: 2 });
});

test("a streamed answer has the first token's time, and the same usage", async () => {
  const { tracer, telemetry, tools, ends, flushed } = setUp();
  await tracer.execution({ workflowId: "w" }, async () => {
    const { textStream } = streamText({ model: weatherModel(), tools, telemetry, ...settings });
    let said = "";
    for await (const part of textStream) said += part;
    expect(said).toBe(ANSWER);
  });
  const spans = await flushed();
  const llms = spans.filter(({ kind }) => kind === "llm");
  expect(llms).toHaveLength(2);
  const [, { startTime, firstTokenTime, endTime } = llms[0] as SpanRecord] = llms;
  expect(BigInt(firstTokenTime ?? 0)).toBeGreaterThanOrEqual(BigInt(startTime));
  expect(BigInt(firstTokenTime ?? 0)).toBeLessThanOrEqual(BigInt(endTime ?? 0));
  expect(spans.every((span) => span.endTime !== undefined)).toBe(true);
  expect(ends[0]?.usage).toMatchObject({ input: 200, output: 40, items: 2 });
});

test("children lie within their parents' times", async () => {
  const { tracer, telemetry, tools, flushed } = setUp();
  await tracer.execution({ workflowId: "w" }, () =>
    generateText({ model: weatherModel(), tools, telemetry, ...settings }),
  );
  const spans = await flushed();
  for (const span of spans) {
    const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
    if (parent === undefined) continue;
    expect(BigInt(span.startTime)).toBeGreaterThanOrEqual(BigInt(parent.startTime));
    expect(BigInt(span.endTime ?? 0)).toBeLessThanOrEqual(BigInt(parent.endTime ?? 0));
  }
});

test.each([true, false])(
  "a model that fails and a tool that fails leave their errors, and the host gets them as before (content: %s)",
  async (captureContent) => {
    const { sink, tracer, telemetry, flushed } = setUp({ captureContent });
    const model = new MockLanguageModelV4({
      doGenerate: async () => {
        throw new Error("The model is away.");
      },
    });
    const run = tracer.execution({ workflowId: "w" }, () =>
      generateText({ model, telemetry, prompt: QUESTION, maxRetries: 0 }),
    );
    await expect(run).rejects.toThrow("The model is away.");
    const weather = tool({
      inputSchema: z.object({ city: z.string() }),
      execute: async (): Promise<string> => {
        throw new Error("No such city.");
      },
    });
    const { text: said } = await tracer.execution({ workflowId: "w" }, () =>
      generateText({ model: weatherModel(), tools: { weather }, telemetry, ...settings }),
    );
    expect(said).toBe(ANSWER);
    const spans = await flushed();
    const [, ...failed] = spans.filter(({ status }) => status.message === "The model is away.");
    expect(failed.map(({ kind }) => kind)).toContain("agent");
    expect(sink.span("execute_tool weather")).toMatchObject({
      status: { code: "error", message: "No such city." },
      events: [
        {
          name: "exception",
          attributes: { "exception.type": "Error", "exception.message": "No such city." },
        },
      ],
    });
    expect(spans.every(({ endTime }) => endTime !== undefined)).toBe(true);
  },
);

test("two agents side by side keep to their nodes; an embedding is one, too", async () => {
  const { sink, tracer, telemetry, tools, flushed } = setUp();
  const embedding = new MockEmbeddingModelV4({
    modelId: "text-embedding-3-small",
    provider: "openai.embedding",
    doEmbed: async ({ values }) => ({
      embeddings: values.map(() => [1, 2]),
      usage: { tokens: 7 },
      warnings: [],
    }),
  });
  const ask = () => generateText({ model: weatherModel(), tools, telemetry, ...settings });
  await tracer.execution({ workflowId: "w" }, (execution) =>
    Promise.all([
      execution.node({ id: "left" }, ask),
      execution.node({ id: "right" }, ask),
      execution.node({ id: "vector" }, () => embed({ model: embedding, value: "x", telemetry })),
    ]),
  );
  const spans = await flushed();
  for (const nodeId of ["left", "right"]) {
    const of = spans.filter((span) => span.nodeId === nodeId);
    expect(of.filter(({ kind }) => kind === "llm")).toHaveLength(2);
    expect(of.find(({ name }) => name === "forecast")?.parentSpanId).toBe(
      of.find(({ name }) => name === "execute_tool weather")?.spanId,
    );
  }
  const embeddings = spans.filter(({ kind }) => kind === "embedding");
  expect(embeddings.length).toBeGreaterThan(0);
  expect(embeddings.every(({ nodeId }) => nodeId === "vector")).toBe(true);
  expect(sink.span("vector").parentSpanId).toBe(sink.span("w").spanId);
});

test("registered once, it sees every call; outside an execution the trace stands for itself", async () => {
  const { tracer, flushed } = setUp();
  registerTelemetry(aiSdkTelemetry(tracer));
  await generateText({ model: weatherModel(), prompt: QUESTION });
  const spans = await flushed();
  expect(spans.length).toBeGreaterThan(1);
  expect(spans.every(({ executionId, traceId }) => executionId === traceId)).toBe(true);
});

test("a host's processor sees ids and figures of these spans, and not a word of content", async () => {
  const seen = new InMemorySpanExporter();
  const events: TracerEvent[] = [];
  const { tracer, telemetry, tools, flushed } = setUp({
    mirror: mirrorTo(new SimpleSpanProcessor(seen)),
    onEvent: (event) => void events.push(event),
  });
  await tracer.execution({ workflowId: "w" }, (execution) =>
    execution.node({ id: "agent" }, () =>
      generateText({ model: weatherModel(), tools, telemetry, ...settings }),
    ),
  );
  const spans = await flushed();
  const exported = seen.getFinishedSpans();
  expect(exported).toHaveLength(spans.length);
  const chat = exported.find(({ name }) => name.startsWith("chat"));
  expect(chat?.attributes).toMatchObject({
    "gen_ai.operation.name": "chat",
    "gen_ai.usage.input_tokens": 100,
    "spanloom.node.id": "agent",
  });
  const all = JSON.stringify(
    exported.map(({ name, attributes, events, status }) => [name, attributes, events, status]),
  );
  expect(all).not.toMatch(/Bergen|brief|rain/);
  expect(events.map(({ type }) => type).filter((type) => /^(llm|tool)_/.test(type))).toEqual([
    "llm_started",
    "llm_ended",
    "tool_started",
    "tool_ended",
    "llm_started",
    "llm_ended",
  ]);
});

test("with captureContent off nothing that was said is kept, the figures are", async () => {
  const { sink, tracer, telemetry, tools, flushed } = setUp({ captureContent: false });
  await tracer.execution({ workflowId: "w" }, () =>
    generateText({ model: weatherModel(), tools, telemetry, ...settings }),
  );
  const spans = await flushed();
  expect(spans.find(({ kind }) => kind === "llm")?.usage).toMatchObject({ input: 100, output: 20 });
  expect(JSON.stringify(sink.writes)).not.toMatch(/Bergen|brief|rain/);
});

test("a tracer that is off costs the host nothing", async () => {
  const { sink, tracer, telemetry, tools } = setUp({ enabled: false });
  const result = await tracer.execution({ workflowId: "w" }, () =>
    generateText({ model: weatherModel(), tools, telemetry, ...settings }),
  );
  expect(result.text).toBe(ANSWER);
  await tracer.flush();
  expect(sink.writes).toEqual([]);
});

const oldUsage = { inputTokens: 100, outputTokens: 20, totalTokens: 120 };

test("AI SDK 6 takes the tracer itself: its spans stand below their node, one below the other", async () => {
  const { tracer, flushed } = setUp();
  const experimental_telemetry = { isEnabled: true, tracer: otelTracer(tracer) };
  const model = new MockLanguageModelV3({
    doGenerate: async () => ({
      content: [{ type: "text", text: ANSWER }],
      finishReason: stop,
      usage,
      warnings: [],
    }),
    doStream: async () => ({
      stream: convertArrayToReadableStream([...text, { type: "finish" as const, finishReason: stop, usage }]),
    }),
  });
  await tracer.execution({ workflowId: "w" }, (execution) =>
    execution.node({ id: "old" }, async () => {
      await ai6.generateText({ model, prompt: QUESTION, experimental_telemetry });
      await ai6.streamText({ model, prompt: QUESTION, experimental_telemetry }).consumeStream();
    }),
  );
  expectNested(await flushed());
});

test("AI SDK 5, too", async () => {
  const { tracer, flushed } = setUp();
  const experimental_telemetry = { isEnabled: true, tracer: otelTracer(tracer) };
  const model = new MockLanguageModelV2({
    doGenerate: async () => ({
      content: [{ type: "text", text: ANSWER }],
      finishReason: "stop",
      usage: oldUsage,
      warnings: [],
    }),
    doStream: async () => ({
      stream: convertArrayToReadableStream([
        ...text,
        { type: "finish" as const, finishReason: "stop" as const, usage: oldUsage },
      ]),
    }),
  });
  await tracer.execution({ workflowId: "w" }, (execution) =>
    execution.node({ id: "old" }, async () => {
      await ai5.generateText({ model, prompt: QUESTION, experimental_telemetry });
      await ai5.streamText({ model, prompt: QUESTION, experimental_telemetry }).consumeStream();
    }),
  );
  expectNested(await flushed());
});

/** Calls of `generateText` and `streamText` each hold their model call, and stand below the node. */
function expectNested(spans: SpanRecord[]): void {
  const named = (name: string): SpanRecord | undefined => spans.find((span) => span.name === name);
  for (const [outer, inner] of [
    ["ai.generateText", "ai.generateText.doGenerate"],
    ["ai.streamText", "ai.streamText.doStream"],
  ] as const) {
    expect(named(outer)).toMatchObject({ nodeId: "old", parentSpanId: named("old")?.spanId });
    expect(named(inner)).toMatchObject({ nodeId: "old", parentSpanId: named(outer)?.spanId });
    expect(named(inner)?.endTime).toBeDefined();
    expect(named(inner)?.usage).toMatchObject({ input: 100, output: 20 });
  }
}
