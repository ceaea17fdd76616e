import type { JsonValue, SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { createNormalizer } from "../registry.ts";
import { named, readFixture } from "./fixture.test-support.ts";

const normalize = createNormalizer();
const DETAILS = "langfuse.observation.usage_details";
const CALL = { type: "tool_call", id: "call-1", name: "weather", arguments: { city: "Lisbon" } };

function withDetails(details: JsonValue): SpanRecord {
  return normalize(makeSpan({ attributes: { [DETAILS]: JSON.stringify(details) } }));
}

describe("observations", () => {
  const spans = readFixture("langfuse");

  test("a generation", () => {
    const [ask] = named(spans, "ask");
    expect(ask).toMatchObject({
      kind: "llm",
      model: "gpt-4o",
      threadId: "thread-1",
      usage: { input: 100, output: 20, cachedInput: 60, reasoning: 8, total: 120 },
      cost: { nanoUsd: 400_000, source: "reported", parts: { input: 200_000, output: 200_000 } },
      input: { messages: [{ role: "system" }, { role: "user" }] },
      output: { messages: [{ role: "assistant", parts: [CALL] }] },
      provenance: { usage: { dialect: "langfuse", key: DETAILS } },
    });
    // The SDK writes the time in a second pair of quotes.
    expect(ask?.firstTokenTime).toMatch(/^1\d{18}$/);
  });

  test("usage in the words of the provider's API: cached tokens are inside", () => {
    expect(named(spans, "answer")[0]).toMatchObject({
      usage: { input: 140, output: 10, cachedInput: 100, reasoning: 0, total: 150 },
      output: { format: "text", text: "It is 21 degrees in Lisbon." },
    });
  });

  test("agent, tool, retriever, embedding", () => {
    expect(named(spans, "weather-agent")[0]).toMatchObject({
      kind: "agent",
      input: { json: { question: "What is the weather in Lisbon?" } },
      output: { text: "It is 21 degrees in Lisbon." },
      // The trace's own input is another text than the observation's.
      attributes: { "langfuse.trace.input": "What is the weather in Lisbon?" },
    });
    expect(named(spans, "weather")[0]).toMatchObject({ kind: "tool", output: { json: { degrees: 21 } } });
    expect(named(spans, "search")[0]).toMatchObject({
      kind: "retriever",
      output: { json: ["Lisbon is sunny."] },
    });
    expect(named(spans, "embed")[0]).toMatchObject({ kind: "embedding", usage: { input: 9, total: 9 } });
  });
});

describe("usage details", () => {
  test.each<[string, JsonValue, SpanRecord["usage"]]>([
    [
      "parts stand beside input and output",
      { input: 40, input_cached_tokens: 60, output: 12, output_reasoning_tokens: 8 },
      { input: 100, output: 20, cachedInput: 60, reasoning: 8 },
    ],
    [
      "a total without the parts says that they are inside",
      { input: 100, input_cached_tokens: 60, output: 20, total: 120 },
      { input: 100, output: 20, cachedInput: 60, total: 120 },
    ],
    [
      "Anthropic's own names",
      { input_tokens: 40, cache_read_input_tokens: 60, cache_creation_input_tokens: 5, output_tokens: 20 },
      { input: 105, output: 20, cachedInput: 60, cacheWrite: 5 },
    ],
    [
      "two ages of a cache",
      { input: 10, input_cache_creation_5m: 3, input_cache_creation_1h: 4, input_cache_read: 20, output: 1 },
      { input: 37, output: 1, cachedInput: 20, cacheWrite: 7 },
    ],
    [
      "LangChain's names",
      { input_tokens: 100, output_tokens: 20, total_tokens: 120, input_token_details: { cache_read: 60 } },
      { input: 100, output: 20, total: 120, cachedInput: 60 },
    ],
    [
      "camel case",
      { promptTokens: 25, completionTokens: 150, totalTokens: 175 },
      { input: 25, output: 150, total: 175 },
    ],
  ])("%s", (_name, details, usage) => {
    const record = withDetails(details);
    expect(record.usage).toEqual(usage);
    expect({ ...record.attributes }).toEqual({});
    expect(normalize(record)).toEqual(record);
  });

  test("what has no field counts, and the details stay to say what it was", () => {
    const details = { input: 40, input_audio_tokens: 10, output: 5, images: 2 };
    const record = withDetails(details);
    expect(record.usage).toEqual({ input: 50, output: 5 });
    expect({ ...record.attributes }).toEqual({ [DETAILS]: JSON.stringify(details) });
    expect(normalize(record)).toEqual(record);
  });

  test.each([["{broken"], [JSON.stringify({ input: -1 })], [JSON.stringify([1])]])(
    "%s stays an attribute",
    (text) => {
      const record = normalize(makeSpan({ attributes: { [DETAILS]: text } }));
      expect(record.usage).toBeUndefined();
      expect({ ...record.attributes }).toEqual({ [DETAILS]: text });
    },
  );
});

test("costs without a total add up; a time that is none stays", () => {
  const attributes = {
    "langfuse.observation.type": "generation",
    "langfuse.observation.cost_details": '{"input":0.001,"input_cached_tokens":0.0005,"output":0.002}',
    "langfuse.observation.completion_start_time": '"soon"',
  };
  const record = normalize(makeSpan({ attributes }));
  expect(record.cost?.nanoUsd).toBe(3_500_000);
  expect(record.firstTokenTime).toBeUndefined();
  expect(Object.keys(record.attributes)).toEqual([
    "langfuse.observation.cost_details",
    "langfuse.observation.completion_start_time",
  ]);
});
