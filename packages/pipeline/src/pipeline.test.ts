import { recordProblem } from "@spanloom/model";
import { hostileTraces, makeSpan, sampleTrace } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import type { Dialect } from "./normalize/dialect.ts";
import { createPipeline } from "./pipeline.ts";

const chat = makeSpan({
  name: "chat",
  attributes: {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 100,
    "gen_ai.input.messages":
      '[{"role":"user","parts":[{"type":"text","content":"password=hunter2! please"}]}]',
    "app.api_key": "hunter3",
  },
});

describe("clean", () => {
  test("normalises, then redacts what was normalised, then prices", async () => {
    const pipeline = createPipeline();
    await pipeline.ready;
    expect(pipeline.priced).toBe(true);
    const record = pipeline.clean(chat);
    expect(record).toMatchObject({
      kind: "llm",
      model: "gpt-4o",
      cost: { nanoUsd: 3_500_000 },
      redactions: [{ rule: "key", count: 1 }],
      input: { state: "redacted", redactions: [{ rule: "password", count: 1 }] },
    });
    expect({ ...record.attributes }).toEqual({ "app.api_key": "[redacted:key]" });
    expect(JSON.stringify(record)).not.toContain("hunter");
    expect(pipeline.clean(record)).toEqual(record);
  });

  test("leaves its input alone", () => {
    const before = structuredClone(chat);
    createPipeline().clean(chat);
    expect(chat).toEqual(before);
  });

  test("twice is once, and the record stays valid, over every fixture", async () => {
    const pipeline = createPipeline();
    await pipeline.ready;
    for (const record of [...sampleTrace(), ...hostileTraces().flatMap(({ spans }) => spans)]) {
      const once = pipeline.clean(record);
      expect(pipeline.clean(once)).toEqual(once);
      if (recordProblem(record) === undefined) expect(recordProblem(once)).toBeUndefined();
    }
  });

  test("a record that was cleaned before the prices came is priced later", async () => {
    const pipeline = createPipeline();
    const early = pipeline.clean(chat);
    expect(early.cost).toBeUndefined();
    await pipeline.ready;
    expect(pipeline.price(early)).toEqual(pipeline.clean(chat));
    expect(pipeline.price(pipeline.price(early))).toEqual(pipeline.price(early));
  });

  test("stages can be left out", () => {
    const pipeline = createPipeline({ redaction: false, pricing: false });
    expect(pipeline.priced).toBe(true);
    expect(pipeline.clean(chat).attributes["app.api_key"]).toBe("hunter3");
    expect(pipeline.clean(chat).cost).toBeUndefined();
  });
});

describe("the host's dialects", () => {
  const acme: Dialect = {
    name: "acme",
    detect: ({ attributes }) => "acme.model" in attributes,
    normalize: (draft) => {
      const model = draft.attribute("acme.model");
      if (typeof model === "string") draft.move("model", model, "acme.model");
      if (draft.attribute("acme.broken") !== undefined) throw new Error("hunter2");
    },
  };

  test("come before the built-in ones", () => {
    const record = createPipeline({ dialects: [acme] }).clean(
      makeSpan({ attributes: { "acme.model": "a-1", "gen_ai.request.model": "g-1" } }),
    );
    expect(record).toMatchObject({
      model: "a-1",
      kind: "llm",
      provenance: { model: { dialect: "acme", key: "acme.model" } },
    });
    expect({ ...record.attributes }).toEqual({ "gen_ai.request.model": "g-1" });
  });

  test("one that throws costs its own work, and the span says so", () => {
    const pipeline = createPipeline({ dialects: [acme] });
    const record = pipeline.clean(
      makeSpan({
        attributes: { "acme.model": "a-1", "acme.broken": 1, "gen_ai.system": "openai", password: "x" },
      }),
    );
    expect(record.provider).toBe("openai");
    expect({ ...record.attributes }).toEqual({
      "acme.model": "a-1",
      "acme.broken": 1,
      password: "[redacted:password]",
      "spanloom.pipeline.problems": ["normalize:acme"],
    });
    expect(pipeline.clean(record)).toEqual(record);
  });
});
