import type { Attributes, SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { createNormalizer } from "../registry.ts";
import { named, readFixture } from "./fixture.test-support.ts";

const normalize = createNormalizer();
const read = (attributes: Attributes, fields: Partial<SpanRecord> = {}): SpanRecord =>
  normalize(makeSpan({ ...fields, attributes }));

const SYSTEM = { role: "system", parts: [{ type: "text", content: "Be brief." }] };
const QUESTION = { role: "user", parts: [{ type: "text", content: "What is the weather in Lisbon?" }] };
const CALL = { type: "tool_call", id: "call-1", name: "weather", arguments: { city: "Lisbon" } };

describe("OpenAI's client", () => {
  const spans = readFixture("openinference-openai");

  test("a chat: flattened messages become messages", () => {
    const [first, second] = named(spans, "OpenAI Chat Completions");
    expect(first).toMatchObject({
      kind: "llm",
      model: "gpt-4o-2024-08-06",
      provider: "openai",
      threadId: "thread-1",
      usage: { input: 100, output: 20, cachedInput: 60, reasoning: 8, total: 120 },
      finishReasons: ["tool_calls"],
      input: { messages: [SYSTEM, QUESTION] },
      output: { messages: [{ role: "assistant", parts: [CALL] }] },
      provenance: { input: { dialect: "openinference", key: "llm.input_messages.0.message.role" } },
    });
    expect(second?.input).toMatchObject({
      messages: [
        SYSTEM,
        QUESTION,
        { role: "assistant", parts: [CALL] },
        { role: "tool", parts: [{ type: "tool_call_response", id: "call-1", response: '{"degrees":21}' }] },
      ],
    });
    // The request as it was sent says more than the messages: it stays.
    expect(Object.keys(first?.attributes ?? {})).toEqual(
      expect.arrayContaining(["input.value", "output.value", "llm.invocation_parameters", "user.id"]),
    );
  });

  test("agent, tool, embedding, retriever", () => {
    expect(named(spans, "weather-agent")[0]).toMatchObject({
      kind: "agent",
      input: { format: "text", text: "What is the weather in Lisbon?" },
      output: { format: "text", text: "It is 21 degrees in Lisbon." },
    });
    expect(named(spans, "weather")[0]).toMatchObject({
      kind: "tool",
      input: { format: "json", json: { city: "Lisbon" } },
      output: { format: "json", json: { degrees: 21 } },
    });
    expect(named(spans, "OpenAI Embeddings")[0]).toMatchObject({
      kind: "embedding",
      model: "text-embedding-3-small",
    });
    expect(named(spans, "search")[0]).toMatchObject({
      kind: "retriever",
      output: { json: [{ id: "doc-1", content: "Lisbon is sunny.", score: 0.9 }] },
    });
  });
});

test("LangChain: chain, model and tool", () => {
  const spans = readFixture("openinference-langchain");
  expect(named(spans, "RunnableSequence")[0]).toMatchObject({ kind: "workflow", threadId: "thread-1" });
  expect(named(spans, "WeatherModel")[0]).toMatchObject({
    kind: "llm",
    model: "gpt-4o",
    usage: { input: 100, output: 20, cachedInput: 60, reasoning: 8, total: 120 },
    finishReasons: ["tool_calls"],
    input: { messages: [SYSTEM, QUESTION] },
    output: {
      messages: [{ parts: [{ type: "tool_call", name: "weather", arguments: { city: "Lisbon" } }] }],
    },
  });
  expect(named(spans, "weather")[0]).toMatchObject({
    kind: "tool",
    input: { format: "text", text: "Lisbon" },
  });
});

test("a chain below another span is a step, and its graph node names it", () => {
  const attributes = { "openinference.span.kind": "CHAIN", "graph.node.id": "plan" };
  const record = read(attributes, { parentSpanId: "00000000000000b2" });
  expect(record).toMatchObject({
    kind: "node",
    nodeId: "plan",
    attributes: { "openinference.span.kind": "CHAIN" },
  });
});

test("what a call cost, whole or in its parts", () => {
  expect(
    read({ "openinference.span.kind": "LLM", "llm.cost.total": 0.003, "llm.cost.prompt": 0.001 }).cost,
  ).toEqual({
    nanoUsd: 3_000_000,
    source: "reported",
    parts: { input: 1_000_000 },
  });
  const split = { "openinference.span.kind": "LLM", "llm.cost.prompt": 0.001, "llm.cost.completion": 0.002 };
  expect(read(split).cost?.nanoUsd).toBe(3_000_000);
});

test("text that looks like JSON stays text where the media type says so", () => {
  const record = read({
    "openinference.span.kind": "CHAIN",
    "input.value": "[1]",
    "input.mime_type": "text/plain",
  });
  expect(record.input).toEqual({ format: "text", state: "captured", text: "[1]" });
});

test("images and places beyond the ninth keep their order", () => {
  const attributes: Attributes = { "openinference.span.kind": "LLM" };
  for (let index = 11; index >= 0; index--) {
    attributes[`llm.input_messages.${index}.message.role`] = "user";
    attributes[`llm.input_messages.${index}.message.contents.0.message_content.type`] = "image";
    attributes[`llm.input_messages.${index}.message.contents.0.message_content.image.image.url`] =
      `https://a.test/${index}`;
  }
  const { input } = read(attributes);
  const uris =
    input?.format === "messages" &&
    input.messages?.map(({ parts: [part] }) => part?.type === "media" && part.uri);
  expect(uris).toEqual(Array.from({ length: 12 }, (_, index) => `https://a.test/${index}`));
});

describe("hostile keys", () => {
  test.each([
    "llm.input_messages.999999999999.message.role",
    "llm.input_messages.__proto__.polluted",
    "llm.input_messages.x.message.role",
    "llm.input_messages.",
    `llm.input_messages.0${".a".repeat(5_000)}`,
  ])("%.60s stays an attribute", (key) => {
    const record = read({ "openinference.span.kind": "LLM", [key]: "user" });
    expect(record.attributes[key]).toBe("user");
    expect(record.input).toBeUndefined();
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  test("a value where others have a list: one of them stays", () => {
    const record = read({
      "openinference.span.kind": "LLM",
      "llm.input_messages.0.message.role": "user",
      "llm.input_messages.0.message.content": "Hi",
      "llm.input_messages.0.message.content.deeper": "lost?",
    });
    expect(record.input).toMatchObject({
      messages: [{ role: "user", parts: [{ type: "text", content: "Hi" }] }],
    });
    expect({ ...record.attributes }).toEqual({ "llm.input_messages.0.message.content.deeper": "lost?" });
  });
});
