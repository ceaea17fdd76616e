import { type Content, recordProblem, SPAN_KINDS } from "@spanloom/model";
import { makeSpan, textContent } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { createPipeline } from "../pipeline.ts";
import type { CapturePolicy } from "./capture-policy.ts";

const fields = ["input", "output", "stateBefore", "stateAfter"] as const;
const messages: Content = {
  format: "messages",
  state: "captured",
  messages: [
    { role: "system", parts: [{ type: "text", content: "Be brief." }] },
    { role: "user", parts: [{ type: "text", content: "word ".repeat(30) }] },
    {
      role: "assistant",
      parts: [{ type: "tool_call", id: "1", name: "find", arguments: { q: "y".repeat(99) } }],
    },
  ],
};

function pipelineOf(capture: CapturePolicy) {
  return createPipeline({ redaction: { capture } });
}

function clean(content: Content, capture: CapturePolicy): Content | undefined {
  const pipeline = pipelineOf(capture);
  const record = pipeline.clean(makeSpan({ input: content }));
  expect(pipeline.clean(record)).toEqual(record);
  expect(recordProblem(record)).toBeUndefined();
  return record.input;
}

describe("what is kept", () => {
  const text = "hello canary ".repeat(20);

  test("none: nothing, and why", () => {
    expect(clean(textContent(text), { input: "none" })).toEqual({
      format: "text",
      state: "not_captured",
      reason: "capture policy: none",
    });
  });

  test("hash: equal contents can be told, and nothing else", () => {
    const kept = clean(textContent(text), { input: "hash" });
    const whole = clean(textContent(text), {});
    expect(kept).toEqual({
      format: "text",
      state: "not_captured",
      reason: "capture policy: hash",
      hash: whole?.hash,
      length: text.length,
    });
    expect(clean(textContent(`${text}!`), { input: "hash" })?.hash).not.toBe(kept?.hash);
  });

  test("preview: the beginning, with hash and length of the whole", () => {
    const whole = clean(textContent(text), {});
    expect(clean(textContent(text), { input: "preview", previewCharacters: 12 })).toEqual({
      ...whole,
      state: "truncated",
      reason: "capture policy: preview",
      text: "hello canary",
    });
    expect(clean(textContent("short"), { input: "preview" })?.state).toBe("captured");
  });

  test("preview of JSON is its text, of a chat its first words and who spoke", () => {
    const json: Content = { format: "json", state: "captured", json: { a: "x".repeat(50) } };
    expect(clean(json, { input: "preview", previewCharacters: 10 })).toMatchObject({
      format: "json",
      state: "truncated",
      text: '{"a":"xxxx',
    });
    expect(clean(messages, { input: "preview", previewCharacters: 20 })).toMatchObject({
      state: "truncated",
      messages: [
        { role: "system", parts: [{ type: "text", content: "Be brief." }] },
        { role: "user", parts: [{ type: "text", content: "word word w" }] },
        { role: "assistant", parts: [{ type: "tool_call", id: "1", name: "find" }] },
      ],
    });
  });

  test("secrets go first: neither a preview nor a hash knows them", () => {
    const secret = `token: ghp_${"Ab3dEf6hIj9lMn2pQr5tUv8xYz1Bc4Df7Gh0"}`;
    const preview = clean(textContent(`${secret} and more`), { input: "preview", previewCharacters: 20 });
    expect(preview).toMatchObject({ state: "truncated", text: "token: " });
    const hash = clean(textContent(secret), { input: "hash" });
    expect(hash).toMatchObject({ redactions: [{ count: 1 }] });
    expect(hash?.hash).toBe(clean(textContent("token: [redacted:github-token]"), {})?.hash);
  });
});

describe("where", () => {
  test.each(fields)("%s has a level of its own, on spans of every kind", (field) => {
    const pipeline = pipelineOf({ [field]: "none" });
    for (const kind of SPAN_KINDS) {
      const content = Object.fromEntries(fields.map((name) => [name, textContent("x")]));
      const record = pipeline.clean(makeSpan({ kind, ...content }));
      for (const other of fields)
        expect(record[other]?.state).toBe(other === field ? "not_captured" : "captured");
    }
  });

  test("a kind wins over the fields, one level stands for all four", () => {
    const pipeline = pipelineOf({ input: "hash", kinds: { tool: "none", llm: { input: "full" } } });
    const of = (kind: "tool" | "llm" | "agent") =>
      pipeline.clean(makeSpan({ kind, input: textContent("x"), output: textContent("x") }));
    expect([of("tool").input?.reason, of("tool").output?.reason]).toEqual([
      "capture policy: none",
      "capture policy: none",
    ]);
    expect([of("llm").input?.state, of("llm").output?.state]).toEqual(["captured", "captured"]);
    expect([of("agent").input?.reason, of("agent").output?.state]).toEqual([
      "capture policy: hash",
      "captured",
    ]);
  });

  test.each([
    [{ inputs: "none" }, /capture\.inputs/],
    [{ input: "nothing" }, /none of "full"/],
    [{ kinds: { tools: "none" } }, /capture\.kinds\.tools/],
    [{ kinds: { tool: { args: "none" } } }, /capture\.kinds\.tool\.args/],
    [{ previewCharacters: 0 }, /previewCharacters/],
  ])("%j is refused: it would keep too much", (policy, message) => {
    expect(() => pipelineOf(policy as CapturePolicy)).toThrow(message);
  });
});
