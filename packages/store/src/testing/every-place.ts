import type { SearchPlace, SpanRecord } from "@spanloom/model";
import { jsonContent, messagesContent, textContent } from "@spanloom/model/fixtures";
import { at, call, root, span, TRACE } from "./spans.ts";

/** Texts that stand in one place of {@link everyPlace} each. */
export const PLACED: [text: string, place: SearchPlace, key: string][] = [
  ["in-the-name", "name", "name"],
  ["IN-THE-AGENT", "name", "agent"],
  ["in-the-node", "name", "nodeId"],
  ["in-the-model", "name", "model"],
  ["in-the-status", "name", "status"],
  ["in-a-Key", "attributes", "in-a-key"],
  ["in-a-value", "attributes", "plain"],
  ["in-a-nested-key", "attributes", "nested"],
  ["in-a-nested-value", "attributes", "nested"],
  ["31337", "attributes", "number"],
  ["9007199254740993", "attributes", "large"],
  ["in-an-event-name", "events", "in-an-event-name"],
  ["in-an-event-key", "events", "event"],
  ["in-an-event-value", "events", "event"],
  ["in-the-input", "content", "input"],
  ["in-the-output", "content", "output"],
  ["in-a-json-key", "content", "stateBefore"],
  ["in-a-json-value", "content", "stateBefore"],
  ["in-a-tool-argument", "content", "stateAfter"],
  ["in-a-reasoning", "content", "stateAfter"],
];

/** Spans that hold a text of its own in everything that is searched. */
export function everyPlace(): SpanRecord[] {
  return [
    root("run-1", 1, { traceId: TRACE, name: "in-the-name" }),
    call(2, 1, 5, { agent: "in-the-agent", nodeId: "in-the-node", model: "in-the-model" }),
    span(3, 1, { status: { code: "error", message: "in-the-status" } }),
    span(4, 1, {
      attributes: { "in-a-key": 1, plain: "in-a-value", number: 31_337, large: { $int: "9007199254740993" } },
    }),
    span(5, 1, { attributes: { nested: [{ "in-a-nested-key": [true, "in-a-nested-value"] }] } }),
    span(6, 1, { events: [{ name: "in-an-event-name", time: at(6), attributes: {} }] }),
    span(7, 1, {
      events: [{ name: "event", time: at(7), attributes: { "in-an-event-key": "in-an-event-value" } }],
    }),
    span(8, 1, { input: textContent("in-the-input"), output: textContent("in-the-output") }),
    span(9, 1, { stateBefore: jsonContent({ "in-a-json-key": ["in-a-json-value"] }) }),
    span(10, 1, {
      stateAfter: messagesContent({
        role: "assistant",
        parts: [
          { type: "reasoning", content: "in-a-reasoning" },
          { type: "tool_call", id: "call-1", name: "look", arguments: { for: "in-a-tool-argument" } },
        ],
      }),
    }),
  ];
}
