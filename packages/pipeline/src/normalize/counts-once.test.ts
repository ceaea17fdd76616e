import type { Attributes, SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { countedOnce, readFixture } from "./dialects/fixture.test-support.ts";
import { createNormalizer } from "./registry.ts";

/** Each known way in which a backend counts tokens twice, or leaves some out. */

const normalize = createNormalizer();

/** Spans, each the child of the one before it unless another parent is named. */
function trace(...spans: { attributes: Attributes; below?: number; scope?: string }[]): SpanRecord[] {
  return spans.map(({ attributes, below, scope }, index) => {
    const parent = below ?? index - 1;
    const instrumentation = { name: scope ?? "test" };
    const fields = { spanId: id(index), attributes, instrumentation };
    return normalize(makeSpan(parent < 0 ? fields : { ...fields, parentSpanId: id(parent) }));
  });
}

const id = (index: number): string => (index + 1).toString(16).padStart(16, "0");

function genAi(
  operation: string,
  input: number,
  output: number,
  more: Attributes = {},
): { attributes: Attributes } {
  const usage = { "gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": output };
  return { attributes: { "gen_ai.operation.name": operation, ...usage, ...more } };
}

describe("as the real packages write it: one conversation of two calls, 100 + 140 in and 20 + 10 out", () => {
  const once = { input: 240, output: 30 };

  test.each([
    ["ai-sdk-6", "ai.generateText", once],
    ["ai-sdk-6", "ai.streamText", once],
    ["ai-sdk-7-legacy", "ai.generateText", once],
    ["ai-sdk-7", "invoke_agent gpt-4o", once],
    ["mastra", "invoke_workflow weather-report", once],
    ["openinference-openai", "weather-agent", once],
    ["langfuse", "weather-agent", { input: 249, output: 30 }], // an embedding of 9 is in it
  ])("%s below %s", (fixture, root, counts) => {
    const spans = readFixture(fixture);
    const top = spans.find(({ name }) => name === root);
    expect(top).toBeDefined();
    expect(countedOnce(spans.filter(({ traceId }) => traceId === top?.traceId))).toMatchObject(counts);
  });
});

test("an agent repeats its calls, also through agents in between", () => {
  const spans = trace(
    genAi("invoke_workflow", 30, 6),
    genAi("invoke_agent", 30, 6),
    { ...genAi("chat", 10, 2), below: 1 },
    { ...genAi("chat", 20, 4), below: 1 },
  );
  expect(countedOnce(spans)).toEqual({ input: 30, output: 6, total: 36 });
  // Each span still shows its own figure, and says that it is a sum.
  expect(spans[1]?.usage).toEqual({ input: 30, output: 6, subtotal: true });
});

test("an agent whose calls nobody traced counts itself", () => {
  expect(countedOnce(trace(genAi("invoke_agent", 30, 6)))).toMatchObject({ input: 30, output: 6 });
});

test("ai.generateText over doGenerate, also where the root alone knows the reasoning tokens", () => {
  const counts = { "ai.usage.inputTokens": 10, "ai.usage.outputTokens": 5 };
  const spans = trace(
    { attributes: { "ai.operationId": "ai.generateText", ...counts, "ai.usage.reasoningTokens": 3 } },
    {
      attributes: {
        "ai.operationId": "ai.generateText.doGenerate",
        ...counts,
        "gen_ai.usage.input_tokens": 10,
      },
    },
  );
  expect(countedOnce(spans)).toEqual({ input: 10, output: 5, total: 15 });
  expect(spans[0]?.usage).toMatchObject({ reasoning: 3, subtotal: true });
});

test("a step that repeats one count of its call", () => {
  const step = { "gen_ai.operation.name": "agent_step", "ai.usage.outputTokenDetails.reasoningTokens": 8 };
  const call = genAi("chat", 10, 9, { "ai.usage.outputTokenDetails.reasoningTokens": 8 });
  expect(countedOnce(trace({ attributes: step }, call))).toEqual({
    input: 10,
    output: 9,
    reasoning: 8,
    total: 19,
  });
});

test("Langfuse's parts stand beside input and output, and are not lost", () => {
  const details = { input: 40, input_cached_tokens: 60, output: 12, output_reasoning_tokens: 8, total: 120 };
  const key = "langfuse.observation.usage_details";
  const spans = trace(
    { attributes: { "langfuse.observation.type": "agent", [key]: JSON.stringify(details) } },
    { attributes: { "langfuse.observation.type": "generation", [key]: JSON.stringify(details) } },
  );
  expect(countedOnce(spans)).toEqual({ input: 100, cachedInput: 60, output: 20, reasoning: 8, total: 120 });
});

test("Langfuse beside another instrumentation on the same span: the same call, told twice", () => {
  const details = { input: 40, input_cached_tokens: 60, output: 20 };
  const both = {
    "langfuse.observation.usage_details": JSON.stringify(details),
    "gen_ai.usage.cache_read.input_tokens": 60,
  };
  const [span] = trace(genAi("chat", 100, 20, both));
  expect(span?.usage).toEqual({ input: 100, cachedInput: 60, output: 20 });
  expect({ ...span?.attributes }).toEqual({});
});

test("a Traceloop workflow that bears the total of its calls", () => {
  const spans = trace(
    { attributes: { "traceloop.span.kind": "workflow", "llm.usage.total_tokens": 36 } },
    { attributes: { "traceloop.span.kind": "task", "llm.usage.total_tokens": 36 } },
    { ...genAi("chat", 10, 2, { "llm.usage.total_tokens": 12 }), below: 1 },
    { ...genAi("chat", 20, 4, { "llm.usage.total_tokens": 24 }), below: 1 },
  );
  expect(countedOnce(spans)).toEqual({ input: 30, output: 6, total: 36 });
});

describe("a total of input and output", () => {
  test("cached tokens inside the input: nothing is added", () => {
    const cached = { "gen_ai.usage.cache_read.input_tokens": 60, "gen_ai.usage.total_tokens": 120 };
    expect(countedOnce(trace(genAi("chat", 100, 20, cached)))).toEqual({
      input: 100,
      cachedInput: 60,
      output: 20,
      total: 120,
    });
  });

  test("cached tokens beside the input, as Anthropic's API says and Traceloop passes on: they are added, once", () => {
    const beside = {
      "gen_ai.usage.cache_read.input_tokens": 60,
      "gen_ai.usage.cache_creation.input_tokens": 5,
      "gen_ai.usage.total_tokens": 60,
    };
    const spans = trace({ ...genAi("chat", 40, 20, beside), scope: "@traceloop/instrumentation-anthropic" });
    const usage = { input: 105, cachedInput: 60, cacheWrite: 5, output: 20, total: 125 };
    expect(countedOnce(spans)).toEqual(usage);
    expect(countedOnce(spans.map(normalize))).toEqual(usage);
  });
});

test("an embedding and the call inside it", () => {
  const tokens = { "ai.usage.tokens": 9 };
  const spans = trace(
    { attributes: { "ai.operationId": "ai.embed", ...tokens } },
    { attributes: { "ai.operationId": "ai.embed.doEmbed", ...tokens } },
  );
  expect(countedOnce(spans)).toEqual({ input: 9, total: 9 });
});

test("OpenInference over another instrumentation of the same call", () => {
  const tokens = {
    "llm.token_count.prompt": 10,
    "llm.token_count.completion": 2,
    "llm.token_count.total": 12,
  };
  const spans = trace({ attributes: { "openinference.span.kind": "LLM", ...tokens } }, genAi("chat", 10, 2));
  expect(countedOnce(spans)).toEqual({ input: 10, output: 2, total: 12 });
});
