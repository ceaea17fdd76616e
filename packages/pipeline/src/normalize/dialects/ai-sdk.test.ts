import type { Attributes, SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { createNormalizer } from "../registry.ts";
import { countedOnce, named, readFixture } from "./fixture.test-support.ts";

const normalize = createNormalizer();
const read = (attributes: Attributes): SpanRecord => normalize(makeSpan({ attributes }));

const SYSTEM = { role: "system", parts: [{ type: "text", content: "Be brief." }] };
const QUESTION = { role: "user", parts: [{ type: "text", content: "What is the weather in Lisbon?" }] };
const CALL = { type: "tool_call", id: "call-1", name: "weather", arguments: { city: "Lisbon" } };
const RESPONSE = { type: "tool_call_response", id: "call-1", response: { degrees: 21 } };
const ANSWER = { type: "text", content: "It is 21 degrees in Lisbon." };

describe.each(["ai-sdk-6", "ai-sdk-7-legacy"])("%s: ai.* spans", (fixture) => {
  const spans = readFixture(fixture);

  test("the model calls of generateText", () => {
    const [first, second] = named(spans, "ai.generateText.doGenerate");
    expect(first).toMatchObject({
      kind: "llm",
      model: "gpt-4o-2024-08-06",
      provider: "openai",
      agent: "weather-agent",
      usage: { input: 100, output: 20, cachedInput: 60, reasoning: 8, total: 120 },
      finishReasons: ["tool-calls"],
      input: { messages: [SYSTEM, QUESTION] },
      output: {
        messages: [
          { parts: [{ type: "reasoning", content: "Ask the tool." }, CALL], finishReason: "tool-calls" },
        ],
      },
    });
    expect(second?.input).toMatchObject({
      messages: [
        SYSTEM,
        QUESTION,
        { role: "assistant" },
        { role: "tool", name: "weather", parts: [RESPONSE] },
      ],
    });
    expect(second?.output).toMatchObject({ messages: [{ role: "assistant", parts: [ANSWER] }] });
    expect(first?.provenance).toMatchObject({
      model: { dialect: "ai_sdk", key: "ai.response.model" },
      input: { dialect: "ai_sdk", key: "ai.prompt.messages" },
    });
  });

  test("the span around them is an agent whose usage repeats theirs", () => {
    const [root] = named(spans, "ai.generateText");
    expect(root).toMatchObject({
      kind: "agent",
      input: { messages: [SYSTEM, QUESTION] },
      usage: { input: 240, output: 30, subtotal: true },
    });
  });

  test("the tool", () => {
    expect(named(spans, "ai.toolCall")[0]).toMatchObject({
      kind: "tool",
      input: { format: "json", json: { city: "Lisbon" } },
      output: { format: "json", json: { degrees: 21 } },
    });
  });

  test("the first chunk of a stream", () => {
    const [first] = named(spans, "ai.streamText.doStream");
    const wait = BigInt(first?.firstTokenTime ?? 0) - BigInt(first?.startTime ?? 0);
    expect(wait > 1_000_000n && wait < 5_000_000_000n).toBe(true);
    expect(first?.output).toMatchObject({ messages: [{ parts: [CALL] }] });
  });

  test("an embedding", () => {
    expect(named(spans, "ai.embed.doEmbed")[0]).toMatchObject({
      kind: "embedding",
      model: "text-embedding-3-small",
      usage: { input: 9, total: 9 },
      input: { json: ["What is the weather in Lisbon?"] },
      output: { json: [[0.1, 0.2]] },
    });
  });
});

test("ai-sdk-6: the conversation, and an object that was asked for", () => {
  const spans = readFixture("ai-sdk-6");
  for (const span of spans) expect(span.threadId).toBe("thread-1");
  expect(named(spans, "ai.generateObject.doGenerate")[0]).toMatchObject({
    kind: "llm",
    usage: { input: 140, output: 10 },
    output: { format: "json", json: { degrees: 21 } },
  });
});

test("ai-sdk-5: spans of the version before", () => {
  const spans = readFixture("ai-sdk-5");
  const [first, second] = named(spans, "ai.generateText.doGenerate");
  expect(first).toMatchObject({
    kind: "llm",
    model: "claude-sonnet-4-5-20250929",
    provider: "anthropic",
    threadId: "thread-1",
    // This version says more only of streams.
    usage: { input: 100, output: 20 },
    output: { messages: [{ parts: [CALL] }] },
  });
  expect(named(spans, "ai.streamText.doStream")[0]?.usage).toMatchObject({ cachedInput: 60, reasoning: 8 });
  expect(second?.input).toMatchObject({ messages: [QUESTION, {}, { name: "weather", parts: [RESPONSE] }] });
  expect(countedOnce(spans)).toMatchObject({ input: 480, output: 60, reasoning: 8 });
});

describe("ai-sdk-7: gen_ai.* spans with what is left of ai.*", () => {
  const spans = readFixture("ai-sdk-7");

  test("a model call: reasoning tokens come from ai.*, and say so", () => {
    const [first] = named(spans, "chat gpt-4o");
    expect(first).toMatchObject({
      kind: "llm",
      model: "gpt-4o-2024-08-06",
      provider: "openai",
      usage: { input: 100, output: 20, cachedInput: 60, cacheWrite: 0, reasoning: 8 },
      input: { messages: [SYSTEM, QUESTION] },
      output: { messages: [{ parts: [{ type: "reasoning" }, CALL] }] },
      provenance: {
        kind: { dialect: "gen_ai" },
        usage: { dialect: "ai_sdk", key: "ai.usage.outputTokenDetails.reasoningTokens" },
        "usage.input": { dialect: "gen_ai", key: "gen_ai.usage.input_tokens" },
      },
    });
    const streamed = named(spans, "chat gpt-4o").filter((span) => span.firstTokenTime !== undefined);
    expect(streamed).toHaveLength(2);
  });

  test("agent, steps and tool", () => {
    const [root] = named(spans, "invoke_agent gpt-4o");
    expect(root).toMatchObject({
      kind: "agent",
      agent: "weather-agent",
      threadId: "thread-1",
      usage: { input: 240, output: 30, reasoning: 8, subtotal: true },
    });
    expect(named(spans, "step 1")[0]).toMatchObject({
      kind: "agent",
      usage: { reasoning: 8, subtotal: true },
    });
    expect(named(spans, "execute_tool weather")[0]).toMatchObject({
      kind: "tool",
      input: { json: { city: "Lisbon" } },
      output: { json: { degrees: 21 } },
    });
  });
});

test("what the SDK said before 5: args, and tokens as prompt and completion", () => {
  const calls = [
    { toolCallType: "function", toolCallId: "call-1", toolName: "weather", args: '{"city":"Lisbon"}' },
  ];
  const record = read({
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.response.toolCalls": JSON.stringify(calls),
    "ai.usage.promptTokens": 10,
    "ai.usage.completionTokens": 3,
  });
  expect(record).toMatchObject({
    usage: { input: 10, output: 3 },
    output: { messages: [{ parts: [CALL] }] },
  });
});

test("what a tool call and a part of a message say beside stays beside them", () => {
  const calls = [{ toolCallId: "call-1", toolName: "weather", input: {}, providerExecuted: true }];
  const options = { anthropic: { cacheControl: { type: "ephemeral" } } };
  const messages = [{ role: "user", content: [{ type: "text", text: "Hi", providerOptions: options }] }];
  const record = read({
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.prompt.messages": JSON.stringify(messages),
    "ai.response.toolCalls": JSON.stringify(calls),
  });
  expect(record.input).toMatchObject({
    messages: [
      {
        parts: [
          { type: "text", content: "Hi" },
          { type: "other", value: { providerOptions: options } },
        ],
      },
    ],
  });
  expect(record.output).toMatchObject({
    messages: [
      {
        parts: [
          { type: "tool_call", name: "weather" },
          { type: "other", value: { providerExecuted: true } },
        ],
      },
    ],
  });
});

test("an operation that nobody knows stays an attribute, and its span of no kind", () => {
  const attributes = { "ai.operationId": "ai.dream", "ai.dream.depth": 3 };
  const record = read(attributes);
  expect(record.kind).toBe("internal");
  expect({ ...record.attributes }).toEqual(attributes);
});
