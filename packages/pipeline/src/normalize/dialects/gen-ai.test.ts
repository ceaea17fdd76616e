import {
  type Attributes,
  GEN_AI,
  type JsonValue,
  MAX_DEPTH,
  recordProblem,
  type SpanRecord,
} from "@spanloom/model";
import { makeSpan, messagesContent } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { createNormalizer } from "../registry.ts";

const normalize = createNormalizer();

function read(attributes: SpanRecord["attributes"], fields: Partial<SpanRecord> = {}): SpanRecord {
  const record = normalize(makeSpan({ ...fields, attributes }));
  expect(normalize(record)).toEqual(record);
  return record;
}

const QUESTION = [{ role: "user", parts: [{ type: "text", content: "What is 2 + 2?" }] }];
const SAID: JsonValue = [
  { type: "reasoning", content: "Use the tool." },
  { type: "tool_call", id: "call-1", name: "add", arguments: { a: 2, b: 2 } },
];
const ANSWER: JsonValue = [{ role: "assistant", parts: SAID, finish_reason: "tool_calls" }];

describe("a chat span", () => {
  const chat: Attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.request.temperature": 0.2,
    "gen_ai.usage.input_tokens": 120,
    "gen_ai.usage.output_tokens": 30,
    "gen_ai.usage.cache_read.input_tokens": 100,
    "gen_ai.usage.cache_creation.input_tokens": 5,
    "gen_ai.usage.reasoning.output_tokens": 10,
    "gen_ai.usage.cost": 0.0012,
    "gen_ai.conversation.id": "thread-7",
    "gen_ai.agent.name": "solver",
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.response.finish_reasons": ["tool_calls"],
    "server.address": "localhost",
  };
  const structured: Attributes = {
    "gen_ai.system_instructions": [{ type: "text", content: "Be brief." }],
    "gen_ai.input.messages": QUESTION,
    "gen_ai.output.messages": ANSWER,
  };
  const asText = Object.fromEntries(
    Object.entries(structured).map(([key, value]) => [key, JSON.stringify(value)]),
  );

  test.each([
    ["structured", structured],
    ["as JSON text", asText],
  ])("messages %s", (_name, messages) => {
    const { attributes, provenance, ...record } = read({ ...chat, ...messages });
    expect(record).toMatchObject({
      kind: "llm",
      provider: "openai",
      model: "gpt-4o-2024-08-06",
      usage: { input: 120, output: 30, cachedInput: 100, cacheWrite: 5, reasoning: 10 },
      cost: { nanoUsd: 1_200_000, source: "reported" },
      threadId: "thread-7",
      agent: "solver",
      firstTokenTime: "1795167000250000000",
      finishReasons: ["tool_calls"],
      input: {
        format: "messages",
        state: "captured",
        messages: [{ role: "system", parts: [{ type: "text", content: "Be brief." }] }, ...QUESTION],
      },
      output: {
        format: "messages",
        messages: [{ role: "assistant", parts: SAID, finishReason: "tool_calls" }],
      },
    });
    // What no field can hold stays; the model that was asked for is not the one that answered.
    expect({ ...attributes }).toEqual({
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.response.id": "chatcmpl-1",
      "gen_ai.request.temperature": 0.2,
      "server.address": "localhost",
    });
    expect(provenance?.model).toEqual({ dialect: "gen_ai", key: GEN_AI.responseModel });
    expect(provenance?.input).toEqual({ dialect: "gen_ai", key: GEN_AI.inputMessages });
  });

  test("old spellings, and numbers as text", () => {
    const record = read({
      "gen_ai.system": "anthropic",
      "gen_ai.request.model": "claude-sonnet-4-5",
      "gen_ai.usage.prompt_tokens": "120",
      "gen_ai.usage.completion_tokens": "30",
      "gen_ai.usage.total_tokens": { $int: "150" },
      "gen_ai.usage.cache_read_input_tokens": 10,
      "gen_ai.usage.reasoning_tokens": 4,
      "gen_ai.response.finish_reasons": '["stop"]',
      "gen_ai.prompt": "Hello",
      "gen_ai.completion": '[{"role":"assistant","content":"Hi"}]',
    });
    expect(record).toMatchObject({
      kind: "llm",
      provider: "anthropic",
      model: "claude-sonnet-4-5",
      usage: { input: 120, output: 30, total: 150, cachedInput: 10, reasoning: 4 },
      finishReasons: ["stop"],
      input: { format: "text", text: "Hello" },
      output: {
        format: "messages",
        messages: [{ role: "assistant", parts: [{ type: "text", content: "Hi" }] }],
      },
    });
    expect({ ...record.attributes }).toEqual({});
  });
});

test("a tool span: arguments and result become its content", () => {
  const record = read({
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "add",
    "gen_ai.tool.call.id": "call-1",
    "gen_ai.tool.call.arguments": '{"a":2,"b":2}',
    "gen_ai.tool.call.result": "4",
  });
  expect(record).toMatchObject({
    kind: "tool",
    input: { format: "json", json: { a: 2, b: 2 } },
    output: { format: "text", text: "4" },
  });
  expect({ ...record.attributes }).toEqual({ "gen_ai.tool.name": "add", "gen_ai.tool.call.id": "call-1" });
});

test("a retrieval: its query and the documents", () => {
  const documents = [{ id: "doc-1", score: 0.9 }];
  const record = read({
    "gen_ai.operation.name": "retrieval",
    "gen_ai.retrieval.query.text": "[weather] in Lisbon?",
    "gen_ai.retrieval.documents": JSON.stringify(documents),
  });
  expect(record).toMatchObject({
    kind: "retriever",
    input: { format: "text", text: "[weather] in Lisbon?" },
    output: { format: "json", json: documents },
  });
  expect({ ...record.attributes }).toEqual({});
});

test("an agent's usage is marked as its children's sum, a chat's is not", () => {
  const usage = { "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 2 };
  const agent = read({ "gen_ai.operation.name": "invoke_agent", ...usage });
  expect(agent.usage).toEqual({ input: 10, output: 2, subtotal: true });
  expect(read({ "gen_ai.operation.name": "chat", ...usage }).usage).toEqual({ input: 10, output: 2 });
  expect(read({ "gen_ai.operation.name": "invoke_agent" }).usage).toBeUndefined();
});

test("a workflow by its name", () => {
  const record = read({ "gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "triage" });
  expect(record).toMatchObject({ kind: "workflow", workflowName: "triage" });
});

test.each([
  ["chat", "llm"],
  ["generate_content", "llm"],
  ["text_completion", "llm"],
  ["embeddings", "embedding"],
  ["retrieval", "retriever"],
  ["create_agent", "agent"],
  ["invoke_agent", "agent"],
  ["execute_tool", "tool"],
  ["invoke_workflow", "workflow"],
  ["plan", "agent"],
  ["agent_step", "agent"],
  ["rerank", "retriever"],
  ["search_memory", "retriever"],
  ["never_heard_of", "internal"],
])("operation %s is of kind %s", (operation, kind) => {
  expect(read({ "gen_ai.operation.name": operation }).kind).toBe(kind);
});

describe("no value is lost", () => {
  test.each([
    ["gen_ai.usage.input_tokens", -3],
    ["gen_ai.usage.input_tokens", 1.5],
    ["gen_ai.usage.output_tokens", "many"],
    ["gen_ai.usage.cost", "free"],
    ["gen_ai.response.time_to_first_chunk", "soon"],
    ["gen_ai.response.finish_reasons", [1]],
    ["gen_ai.input.messages", "[{broken"],
    ["gen_ai.output.messages", [{ no: "role" }]],
    ["gen_ai.operation.name", "never_heard_of"],
  ])("%s = %j stays an attribute", (key, value) => {
    expect(read({ [key]: value }).attributes).toEqual({ [key]: value });
  });

  test("a field that stands keeps its value, and the other one stays an attribute", () => {
    const input = messagesContent({ role: "user", parts: [{ type: "text", content: "ours" }] });
    const attributes = {
      "gen_ai.request.model": "theirs",
      "gen_ai.input.messages": QUESTION,
      "gen_ai.system": "openai",
    };
    const record = read(attributes, { model: "ours", provider: "openai", input, kind: "node" });
    expect(record).toMatchObject({ model: "ours", input, kind: "node" });
    expect(record.provenance).toBeUndefined();
    expect({ ...record.attributes }).toEqual({
      "gen_ai.request.model": "theirs",
      "gen_ai.input.messages": QUESTION,
    });
  });

  test("counts that disagree: the first counts, the other stays", () => {
    const record = read({ "gen_ai.usage.input_tokens": 10, "gen_ai.usage.prompt_tokens": 11 });
    expect(record.usage).toEqual({ input: 10 });
    expect({ ...record.attributes }).toEqual({ "gen_ai.usage.prompt_tokens": 11 });
  });

  test.each(["gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.prompt"])(
    "JSON in %s that is nested deeper than a record may be is kept as the text that it is",
    (key) => {
      const deep = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
      const { input, output } = read({ [key]: deep(MAX_DEPTH + 1) });
      expect(input ?? output).toMatchObject({ format: "text", text: deep(MAX_DEPTH + 1) });
      const record = read({ [key]: deep(MAX_DEPTH) });
      expect(record.input ?? record.output).toMatchObject({ format: "json" });
      expect(recordProblem(record)).toBeUndefined();
    },
  );

  test("parts that the model does not know are kept whole, and digits keep their value", () => {
    const parts = [
      { type: "blob", mime_type: "image/png", content: "aGk=" },
      { type: "uri", modality: "image", mime_type: "image/png", uri: "s3://bucket/a.png" },
      { type: "text", content: "hi", annotation: "x" },
      { type: "tool_call_response", id: "call-1", result: { sum: 4 } },
    ];
    const text = JSON.stringify([{ role: "user", parts, tenant: "x" }]).replace(
      '"x"}]',
      "12345678901234567890}]",
    );
    expect(read({ "gen_ai.input.messages": text }).input).toMatchObject({
      messages: [
        {
          role: "user",
          parts: [
            { type: "other", value: parts[0] },
            { type: "media", modality: "image", mimeType: "image/png", uri: "s3://bucket/a.png" },
            { type: "other", value: parts[2] },
            { type: "tool_call_response", id: "call-1", response: { sum: 4 } },
            { type: "other", value: { tenant: "12345678901234567890" } },
          ],
        },
      ],
    });
  });

  test("a tool's answer as response or as result, and parts of Anthropic's and OpenAI's APIs", () => {
    const messages: JsonValue = [
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: "https://a.test/1.png" } },
          { type: "tool_result", tool_use_id: "call-1", content: "4" },
          { type: "text", text: "Hi", cache_control: { type: "ephemeral" } },
        ],
      },
      { role: "assistant", content: [{ type: "tool_use", id: "call-1", name: "add", input: { a: 2 } }] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "call-1", response: 4 }] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "call-1", result: 4 }] },
      { role: "tool", parts: [{ type: "tool_call_response", id: "call-1", response: 4, result: 5 }] },
    ];
    expect(read({ "gen_ai.input.messages": messages }).input).toMatchObject({
      messages: [
        {
          parts: [
            { type: "media", modality: "image", uri: "https://a.test/1.png" },
            { type: "tool_call_response", id: "call-1", response: "4" },
            { type: "text", content: "Hi" },
            { type: "other", value: { cache_control: { type: "ephemeral" } } },
          ],
        },
        { parts: [{ type: "tool_call", id: "call-1", name: "add", arguments: { a: 2 } }] },
        { parts: [{ type: "tool_call_response", id: "call-1", response: 4 }] },
        { parts: [{ type: "tool_call_response", id: "call-1", response: 4 }] },
        { parts: [{ type: "other", value: { response: 4, result: 5 } }] },
      ],
    });
  });

  test("messages in the shape of a provider's API", () => {
    const messages: JsonValue = [
      { role: "user", content: [{ type: "text", text: "2 + 2?" }] },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "call-1", type: "function", function: { name: "add", arguments: '{"a":2}' } }],
      },
      { role: "tool", tool_call_id: "call-1", content: "4" },
    ];
    expect(read({ "gen_ai.input.messages": messages }).input).toMatchObject({
      messages: [
        { role: "user", parts: [{ type: "text", content: "2 + 2?" }] },
        { role: "assistant", parts: [{ type: "tool_call", id: "call-1", name: "add", arguments: { a: 2 } }] },
        { role: "tool", parts: [{ type: "tool_call_response", id: "call-1", response: "4" }] },
      ],
    });
  });
});
