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

describe("workflow, agent, task and tool", () => {
  const spans = readFixture("traceloop");

  test("their kinds, names and contents", () => {
    expect(named(spans, "weather-report.workflow")[0]).toMatchObject({
      kind: "workflow",
      workflowName: "weather-report",
      threadId: "thread-1",
    });
    expect(named(spans, "weather-agent.agent")[0]).toMatchObject({
      kind: "agent",
      agent: "weather-agent",
      input: { json: { args: ["What is the weather in Lisbon?"], kwargs: {} } },
      output: { format: "text", text: "It is 21 degrees in Lisbon." },
    });
    expect(named(spans, "weather.tool")[0]).toMatchObject({
      kind: "tool",
      output: { json: { degrees: 21 } },
    });
  });

  test("a task is a node, and so is what happens in it", () => {
    const [task] = named(spans, "stream.task");
    expect(task).toMatchObject({ kind: "node", nodeId: "stream" });
    const inside = spans.filter((span) => span.parentSpanId === task?.spanId);
    expect(inside).toMatchObject([{ kind: "llm", nodeId: "stream" }]);
  });

  test("inside an agent its name stands for the workflow's: nobody is misled", () => {
    const names = spans.flatMap(({ workflowName }) => (workflowName === undefined ? [] : [workflowName]));
    expect(names).toEqual(["weather-report"]);
  });

  test("a model call", () => {
    expect(named(spans, "chat gpt-4o")[0]).toMatchObject({
      kind: "llm",
      model: "gpt-4o-2024-08-06",
      provider: "openai",
      agent: "weather-agent",
      usage: { input: 100, output: 20, total: 120 },
      finishReasons: ["tool_call"],
      output: { messages: [{ parts: [CALL] }] },
    });
  });

  test("Anthropic's cached tokens stand beside its input: here they are inside, as everywhere", () => {
    const [call] = named(spans, "chat claude-sonnet-4-5");
    expect(call?.usage).toEqual({ input: 105, cachedInput: 60, cacheWrite: 5, output: 20, total: 125 });
    expect(countedOnce(spans)).toMatchObject({ input: 100 + 140 + 7 + 105, output: 20 + 10 + 8 + 20 });
  });
});

test("its instrumentations before the convention: messages by their place, and the total under its old name", () => {
  const [first, second] = readFixture("traceloop-old");
  expect(first).toMatchObject({
    kind: "llm",
    model: "gpt-4o-2024-08-06",
    provider: "openai",
    usage: { input: 100, output: 20, total: 120 },
    finishReasons: ["tool_calls"],
    input: { messages: [SYSTEM, QUESTION] },
    output: {
      messages: [{ parts: [{ type: "tool_call", name: "weather", arguments: { city: "Lisbon" } }] }],
    },
  });
  expect(second?.input).toMatchObject({
    messages: [SYSTEM, QUESTION, { role: "assistant", parts: [] }, { role: "tool" }],
  });
});

/** With the ids and the text that the version of then wrote for other models. */
const OLD_CHAT: Attributes = {
  "llm.request.type": "chat",
  "gen_ai.system": "OpenAI",
  "gen_ai.request.model": "gpt-4o",
  "gen_ai.prompt.0.role": "system",
  "gen_ai.prompt.0.content": "Be brief.",
  "gen_ai.prompt.1.role": "user",
  "gen_ai.prompt.1.content": '[{"type":"text","text":"What is the weather in Lisbon?"}]',
  "gen_ai.completion.0.role": "assistant",
  "gen_ai.completion.0.finish_reason": "tool_calls",
  "gen_ai.completion.0.tool_calls.0.id": "call-1",
  "gen_ai.completion.0.tool_calls.0.name": "weather",
  "gen_ai.completion.0.tool_calls.0.arguments": '{"city":"Lisbon"}',
  "gen_ai.usage.prompt_tokens": 100,
  "gen_ai.usage.completion_tokens": 20,
  "llm.usage.total_tokens": 120,
};

test("a tool call by its place, with its id", () => {
  const record = read(OLD_CHAT);
  expect(record).toMatchObject({
    kind: "llm",
    usage: { input: 100, output: 20, total: 120 },
    finishReasons: ["tool_calls"],
    input: {
      messages: [
        { role: "system", parts: [{ type: "text", content: "Be brief." }] },
        { role: "user", parts: [{ type: "text", content: "What is the weather in Lisbon?" }] },
      ],
    },
    output: { messages: [{ role: "assistant", parts: [CALL], finishReason: "tool_calls" }] },
  });
  expect({ ...record.attributes }).toEqual({ "llm.request.type": "chat", "gen_ai.system": "OpenAI" });
  expect(normalize(record)).toEqual(record);
});

test("a prompt without a role is the user's, a completion the assistant's", () => {
  const record = read({ "gen_ai.prompt.0.content": "Hello", "gen_ai.completion.0.content": "Hi" });
  expect(record.input).toMatchObject({ messages: [{ role: "user" }] });
  expect(record.output).toMatchObject({ messages: [{ role: "assistant" }] });
});

test("a kind that nobody knows stays an attribute", () => {
  expect({ ...read({ "traceloop.span.kind": "session" }).attributes }).toEqual({
    "traceloop.span.kind": "session",
  });
});
