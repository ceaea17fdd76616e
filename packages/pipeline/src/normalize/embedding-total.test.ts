import { makeSpan } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { createPipeline } from "../pipeline.ts";

const { clean } = createPipeline({ pricing: false });

test("an embedding that reports its input used that in total", () => {
  const attributes = { "gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 9 };
  expect(clean(makeSpan({ kind: "internal", attributes })).usage).toEqual({ input: 9, total: 9 });
});

test("a chat that reports only its input has no known total", () => {
  expect(clean(makeSpan({ kind: "llm", usage: { input: 9 } })).usage).toEqual({ input: 9 });
});
