import type { Content } from "@spanloom/model";
import { jsonContent, makeSpan, messagesContent, textContent } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { previewOf, withPreviews } from "./preview.ts";

const long = "abcdefghij".repeat(1_000);

describe("previewOf", () => {
  test.each<[string, Content]>([
    ["text", textContent("short")],
    ["JSON", jsonContent({ a: [1, 2] })],
    ["messages", messagesContent({ role: "user", parts: [{ type: "text", content: "hi" }] })],
    ["nothing", { format: "text", state: "not_captured" }],
  ])("leaves short %s alone", (_, content) => {
    expect(previewOf(content, 100)).toBe(content);
  });

  test("cuts text between characters and tells the whole length", () => {
    expect(previewOf(textContent(`${"x".repeat(99)}🔑${long}`), 100)).toEqual({
      format: "text",
      state: "preview",
      length: 10_101,
      text: "x".repeat(99),
    });
  });

  test("keeps the length that was captured, where even the stored text is only a part", () => {
    const truncated: Content = { format: "text", state: "truncated", length: 1_000_000, text: long };
    expect(previewOf(truncated, 100)).toMatchObject({ state: "preview", length: 1_000_000 });
  });

  test("gives the beginning of long JSON as text", () => {
    const preview = previewOf(
      { ...jsonContent({ rows: [long] }), redactions: [{ rule: "r", count: 2 }] },
      100,
    );
    expect(preview).toEqual({
      format: "json",
      state: "preview",
      length: JSON.stringify({ rows: [long] }).length,
      text: JSON.stringify({ rows: [long] }).slice(0, 100),
      redactions: [{ rule: "r", count: 2 }],
    });
  });

  test("keeps the first messages, with their roles, and cuts the last that fits", () => {
    const preview = previewOf(
      messagesContent(
        { role: "system", parts: [{ type: "text", content: "be brief" }] },
        {
          role: "assistant",
          parts: [{ type: "tool_call", id: "1", name: "search", arguments: { q: long } }],
        },
        { role: "tool", parts: [{ type: "tool_call_response", id: "1", response: long }] },
      ),
      100,
    );
    expect(preview).toMatchObject({
      state: "preview",
      messages: [
        { role: "system", parts: [{ type: "text", content: "be brief" }] },
        {
          role: "assistant",
          parts: [
            { type: "tool_call", id: "1", name: "search", arguments: expect.stringContaining('{"q":"abc') },
          ],
        },
      ],
    });
    expect(preview).toHaveProperty("messages.length", 2);
    expect(JSON.stringify(preview).length).toBeLessThan(500);
  });

  test("ends floods of empty parts and deep JSON", () => {
    const parts = new Array(100_000).fill({ type: "text", content: "" });
    expect(JSON.stringify(previewOf(messagesContent({ role: "user", parts }), 2_000)).length).toBeLessThan(
      20_000,
    );
    expect(previewOf(jsonContent(new Array(100_000).fill([])), 2_000).state).toBe("preview");
  });
});

test("withPreviews cuts all four contents and nothing else", () => {
  const content = textContent(long);
  const span = makeSpan({ input: content, output: content, stateBefore: content, stateAfter: content });
  const { input, output, stateBefore, stateAfter, ...rest } = withPreviews(span, 50);
  for (const one of [input, output, stateBefore, stateAfter]) expect(one?.state).toBe("preview");
  expect(rest).toEqual(makeSpan());
});
