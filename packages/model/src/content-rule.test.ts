import { describe, expect, test } from "vitest";
import { type ContentField, NOT_PERMITTED, withoutContent } from "./content-rule.ts";
import { jsonContent, makeSpan, messagesContent, textContent } from "./fixtures/index.ts";
import type { SpanRecord } from "./span.ts";

const SECRET = "the-secret-prompt";

/** Every content field of a span; a new one does not compile until it is here. */
const content: Required<Pick<SpanRecord, ContentField>> = {
  input: messagesContent({ role: "user", parts: [{ type: "text", content: SECRET }] }),
  output: { ...textContent(SECRET), state: "truncated", reason: SECRET, hash: "aa" },
  stateBefore: jsonContent({ note: SECRET }),
  stateAfter: { ...jsonContent([SECRET]), redactions: [{ rule: "email", count: 1 }] },
};

describe("withoutContent", () => {
  test("replaces every content field by the word that it is not permitted, without hash, length or reason", () => {
    const shown = withoutContent(makeSpan(content));
    expect(shown).toMatchObject({
      input: { format: "messages", state: "not_permitted" },
      output: { format: "text", state: "not_permitted" },
      stateBefore: { format: "json", state: "not_permitted" },
      stateAfter: { format: "json", state: "not_permitted" },
    });
    for (const field of Object.keys(content) as ContentField[]) {
      expect(Object.keys(shown[field] ?? {}), field).toEqual(["format", "state"]);
    }
    expect(JSON.stringify(shown)).not.toContain(SECRET);
  });

  test.each([
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.prompt",
    "gen_ai.prompt.0.content",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "input.value",
    "output.value",
    "llm.input_messages.0.message.content",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments",
    "llm.prompts",
    "tool.parameters",
    "ai.prompt",
    "ai.prompt.messages",
    "ai.response.text",
    "ai.response.object",
    "ai.response.toolCalls",
    "ai.toolCall.args",
    "ai.toolCall.result",
    "traceloop.entity.input",
    "traceloop.entity.output",
    "langfuse.observation.input",
    "lmnr.span.output",
    "mastra.llm.input",
    "retrieval.documents.0.document.content",
    "spanloom.input",
    "userPrompt",
    "llmResponseText",
    "tool-arguments",
    "my app/question",
    "gen_ai.tool.definitions",
    "langfuse.trace.metadata.note",
    "exception.message",
    "exception.stacktrace",
    "error.message",
    "error.stack",
    "otel.status_description",
  ])("withholds the attribute %s, also in events and links", (key) => {
    const attributes = { [key]: SECRET };
    const link = { traceId: "a".repeat(32), spanId: "b".repeat(16), attributes };
    const span = makeSpan({ attributes, events: [{ name: "e", time: "1", attributes }], links: [link] });
    const shown = withoutContent(span);
    expect(shown.attributes).toEqual({ [key]: NOT_PERMITTED });
    expect(JSON.stringify(shown)).not.toContain(SECRET);
  });

  test("withholds content that stands deeper, in lists and in JSON written out as text", () => {
    const attributes = {
      call: { prompt: SECRET, attempt: 2, tags: ["a", { toolInput: SECRET }] },
      kept: { $map: [["answer", SECRET] as [string, string], ["retries", 1] as [string, number]] },
      note: JSON.stringify({ text: SECRET }),
      bracket: "[not json]",
    };
    expect(withoutContent(makeSpan({ attributes })).attributes).toEqual({
      call: { prompt: NOT_PERMITTED, attempt: 2, tags: ["a", { toolInput: NOT_PERMITTED }] },
      kept: {
        $map: [
          ["answer", NOT_PERMITTED],
          ["retries", 1],
        ],
      },
      note: NOT_PERMITTED,
      bracket: "[not json]",
    });
  });

  test("of an error keeps the type, and says that what it said is withheld", () => {
    const attributes = {
      "exception.type": "TypeError",
      "exception.message": SECRET,
      "exception.stacktrace": `TypeError: ${SECRET}\n    at x`,
      "exception.escaped": true,
    };
    const shown = withoutContent(
      makeSpan({
        status: { code: "error", message: SECRET },
        events: [{ name: "exception", time: "1", attributes }],
      }),
    );
    expect(shown.status).toEqual({ code: "error", message: NOT_PERMITTED });
    expect(shown.events[0]?.attributes).toEqual({
      "exception.type": "TypeError",
      "exception.message": NOT_PERMITTED,
      "exception.stacktrace": NOT_PERMITTED,
      "exception.escaped": true,
    });
  });

  test("keeps figures, ids, names and types of errors", () => {
    const attributes = {
      "gen_ai.usage.input_tokens": 12,
      "gen_ai.response.model": "lumen",
      "gen_ai.response.id": "r-1",
      "gen_ai.output.type": "text",
      "http.request.method": "GET",
      "error.type": "Timeout",
    };
    const span = makeSpan({
      attributes,
      status: { code: "error" },
      events: [{ name: "exception", time: "1", attributes: { "exception.type": "Timeout" } }],
    });
    expect(withoutContent(span)).toEqual(span);
  });
});
