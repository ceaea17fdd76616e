import type { SpanRecord } from "@spanloom/model";
import { expectTypeOf, test } from "vitest";
import { createPipeline, type Dialect, type Pipeline, type PipelineOptions } from "./index.ts";

test("a pipeline", () => {
  expectTypeOf(createPipeline()).toEqualTypeOf<Pipeline>();
  expectTypeOf<Pipeline["clean"]>().toEqualTypeOf<
    (record: SpanRecord, context?: { scope?: string }) => SpanRecord
  >();
  expectTypeOf<Pipeline["ready"]>().toEqualTypeOf<Promise<void>>();
});

test("its options", () => {
  createPipeline({
    redaction: { keys: ["customer_ssn"], patterns: [{ name: "customer-number", pattern: /CN-\d{8}/ }] },
    pricing: { overrides: { "openai/gpt-4o": { inputPerMTok: 1, outputPerMTok: 2 } }, version: "2026-07" },
  });
  createPipeline({
    redaction: {
      patterns: [{ name: "customer-number", pattern: "CN-\\d{8}" }],
      functions: [
        { name: "staff", redact: (_text, { key }) => (key === "assignee" ? "[staff]" : undefined) },
      ],
      personalData: { email: true },
      capture: { input: "preview", kinds: { tool: "none", llm: { output: "hash" } } },
      tokens: { keys: [{ id: "k1", secret: "a secret of the first half-year" }] },
      limits: { fieldMs: 100 },
    },
  });
  // @ts-expect-error -- there is no such level
  createPipeline({ redaction: { capture: { input: "some" } } });
  createPipeline({ redaction: false, pricing: false });
  expectTypeOf<PipelineOptions["dialects"]>().toEqualTypeOf<readonly Dialect[] | undefined>();
  // @ts-expect-error -- a stage is options or off
  createPipeline({ redaction: true });
  // @ts-expect-error -- a pattern needs a name
  createPipeline({ redaction: { patterns: [{ pattern: /x/ }] } });
  // @ts-expect-error -- a price needs both ways
  createPipeline({ pricing: { overrides: { "openai/gpt-4o": { inputPerMTok: 1 } } } });
});

test("a dialect sets fields with their own types", () => {
  const dialect: Dialect = {
    name: "acme",
    prefixes: ["acme."],
    normalize: (draft) => {
      draft.moveUsage({ input: 1, subtotal: true }, "acme.tokens");
      draft.moveFromEvents("output", { format: "text", state: "captured" }, [
        { event: 0, keys: ["acme.said"] },
      ]);
      // @ts-expect-error -- no such count
      draft.moveUsage({ images: 1 }, "acme.images");
      draft.move("model", "a-1", "acme.model", "acme.model_name");
      // @ts-expect-error -- a model is a text
      draft.move("model", 1, "acme.model");
      // @ts-expect-error -- identity is nobody's to set
      draft.move("traceId", "a", "acme.trace");
    },
  };
  expectTypeOf(dialect.name).toEqualTypeOf<string>();
});
