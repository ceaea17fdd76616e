import type { Attributes, SpanEvent, SpanRecord } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { createNormalizer } from "../registry.ts";

const normalize = createNormalizer();

function event(name: string, attributes: Attributes): SpanEvent {
  return { name, time: "1795167000000000000", attributes };
}

function read(events: SpanEvent[], attributes: Attributes = {}): SpanRecord {
  const record = normalize(makeSpan({ events, attributes }));
  expect(normalize(record)).toEqual(record);
  return record;
}

const CALL = { id: "call-1", type: "function", function: { name: "add", arguments: '{"a":2}' } };
const TOOL_CALL = { type: "tool_call", id: "call-1", name: "add", arguments: { a: 2 } };

test("message events become the input, the choice the output; the events stay to say when", () => {
  const record = read([
    event("gen_ai.system.message", { "gen_ai.event.content": '{"content":"Be brief."}' }),
    event("gen_ai.user.message", {
      "gen_ai.event.content": '{"content":"2 + 2?"}',
      "gen_ai.system": "openai",
    }),
    event("gen_ai.assistant.message", { "gen_ai.event.content": JSON.stringify({ tool_calls: [CALL] }) }),
    event("gen_ai.tool.message", { "gen_ai.event.content": '{"id":"call-1","content":"4"}' }),
    event("exception", { "exception.type": "Oops" }),
    event("gen_ai.choice", {
      "gen_ai.event.content": '{"index":0,"finish_reason":"stop","message":{"content":"4"}}',
    }),
  ]);
  expect(record).toMatchObject({
    input: {
      messages: [
        { role: "system", parts: [{ type: "text", content: "Be brief." }] },
        { role: "user", parts: [{ type: "text", content: "2 + 2?" }] },
        { role: "assistant", parts: [TOOL_CALL] },
        { role: "tool", parts: [{ type: "tool_call_response", id: "call-1", response: "4" }] },
      ],
    },
    output: {
      messages: [{ role: "assistant", parts: [{ type: "text", content: "4" }], finishReason: "stop" }],
    },
    finishReasons: ["stop"],
    provenance: {
      input: { dialect: "gen_ai", key: "gen_ai.system.message" },
      output: { dialect: "gen_ai", key: "gen_ai.choice" },
    },
  });
  expect(record.events.map(({ name, attributes }) => [name, attributes])).toEqual([
    ["gen_ai.system.message", {}],
    ["gen_ai.user.message", { "gen_ai.system": "openai" }],
    ["gen_ai.assistant.message", {}],
    ["gen_ai.tool.message", {}],
    ["exception", { "exception.type": "Oops" }],
    ["gen_ai.choice", {}],
  ]);
});

test("members of the body as attributes", () => {
  const record = read([
    event("gen_ai.user.message", { content: "Hi" }),
    event("gen_ai.choice", { finish_reason: "end_turn", message: "Hello" }),
  ]);
  expect(record.input).toMatchObject({ messages: [{ role: "user", parts: [{ content: "Hi" }] }] });
  expect(record.output).toMatchObject({
    messages: [{ parts: [{ content: "Hello" }], finishReason: "end_turn" }],
  });
});

test("several choices stay apart, and say which they are", () => {
  const choice = (index: number): SpanEvent =>
    event("gen_ai.choice", {
      "gen_ai.event.content": JSON.stringify({ index, message: { content: `${index}` } }),
    });
  expect(read([choice(0), choice(1)]).output).toMatchObject({
    messages: [
      { parts: [{ type: "text", content: "0" }] },
      {
        parts: [
          { type: "text", content: "1" },
          { type: "other", value: { index: 1 } },
        ],
      },
    ],
  });
});

test("the whole exchange in one event, as text or structured", () => {
  const input = [{ role: "user", parts: [{ type: "text", content: "Hi" }] }];
  const output = [{ role: "assistant", parts: [{ type: "text", content: "Hello" }], finish_reason: "stop" }];
  const record = read([
    event("gen_ai.client.inference.operation.details", {
      "gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]',
      "gen_ai.input.messages": input,
      "gen_ai.output.messages": JSON.stringify(output),
      "gen_ai.response.id": "r-1",
    }),
  ]);
  expect(record.input).toMatchObject({ messages: [{ role: "system" }, ...input] });
  expect(record.output).toMatchObject({ messages: [{ role: "assistant", finishReason: "stop" }] });
  expect(record.events[0]?.attributes).toEqual({ "gen_ai.response.id": "r-1" });
});

test("the first conventions: prompt and completion", () => {
  const record = read([
    event("gen_ai.content.prompt", { "gen_ai.prompt": '[{"role":"user","content":"Hi"}]' }),
    event("gen_ai.content.completion", { "gen_ai.completion": "Hello" }),
  ]);
  expect(record.input).toMatchObject({ messages: [{ role: "user" }] });
  expect(record.output).toMatchObject({ messages: [{ role: "assistant", parts: [{ content: "Hello" }] }] });
});

test("messages in attributes win, and the events keep theirs", () => {
  const events = [event("gen_ai.user.message", { content: "from the event" })];
  const messages = [{ role: "user", parts: [{ type: "text", content: "from the attribute" }] }];
  const record = read(events, { "gen_ai.input.messages": messages });
  expect(record.input).toMatchObject({ messages });
  expect(record.events).toEqual(events);
});

test.each<[Attributes]>([
  [{}],
  [{ "gen_ai.event.content": "{broken" }],
  [{ "gen_ai.event.content": "[1]" }],
  [{ "other.key": "x" }],
])("an event that says nothing keeps what it has: %j", (attributes) => {
  const events = [event("gen_ai.user.message", attributes)];
  const record = read(events);
  expect(record.input).toBeUndefined();
  expect(record.events).toEqual(events);
});
