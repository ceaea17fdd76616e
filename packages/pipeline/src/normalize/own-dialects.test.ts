import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeSpan } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { createPipeline } from "../pipeline.ts";
import { acmeDialect } from "./acme-dialect.test-support.ts";
import type { Dialect } from "./dialect.ts";
import { createNormalizer } from "./registry.ts";

describe("the dialect of the guide", () => {
  const { clean } = createPipeline({ dialects: [acmeDialect], pricing: false });
  const attributes = {
    "acme.type": "completion",
    "acme.model": "acme-large",
    "acme.tokens.prompt": 12,
    "acme.tokens.answer": 3,
    "acme.question": "Why?",
    "acme.region": "north",
  };

  test("moves what it knows, and leaves the rest", () => {
    const record = clean(makeSpan({ attributes }));
    expect(record).toMatchObject({
      kind: "llm",
      model: "acme-large",
      usage: { input: 12, output: 3 },
      input: { format: "text", text: "Why?" },
      provenance: { usage: { dialect: "acme", key: "acme.tokens.prompt" } },
    });
    expect({ ...record.attributes }).toEqual({ "acme.region": "north" });
    expect(clean(record)).toEqual(record);
  });

  test("leaves a value that it cannot read", () => {
    const odd = { "acme.type": "seance", "acme.model": 7, "acme.tokens.prompt": "many" };
    expect({ ...clean(makeSpan({ attributes: odd })).attributes }).toEqual(odd);
  });

  test("stands in the guide as it is here", () => {
    const root = join(import.meta.dirname, "../../../..");
    const guide = readFileSync(join(root, "docs/guides/add-dialect.md"), "utf8");
    const [, shown = ""] = /```ts\n(import type[\s\S]*?)```/.exec(guide) ?? [];
    const code = readFileSync(join(import.meta.dirname, "acme-dialect.test-support.ts"), "utf8");
    expect(shown.replace("@spanloom/pipeline", "../index.ts")).toBe(code);
  });
});

test("a host's dialect comes before the built-in ones, and both fill the usage", () => {
  const normalize = createNormalizer([acmeDialect]);
  const attributes = {
    "acme.model": "ours",
    "acme.tokens.prompt": 12,
    "gen_ai.request.model": "theirs",
    "gen_ai.usage.input_tokens": 13,
    "gen_ai.usage.output_tokens": 4,
  };
  const record = normalize(makeSpan({ attributes }));
  expect(record).toMatchObject({
    model: "ours",
    usage: { input: 12, output: 4 },
    provenance: {
      usage: { dialect: "acme", key: "acme.tokens.prompt" },
      "usage.output": { dialect: "gen_ai", key: "gen_ai.usage.output_tokens" },
    },
  });
  expect({ ...record.attributes }).toEqual({
    "gen_ai.request.model": "theirs",
    "gen_ai.usage.input_tokens": 13,
  });
});

test("as many dialects as a host likes", () => {
  const own: Dialect[] = Array.from({ length: 70 }, (_, index) => ({
    name: `own-${index}`,
    prefixes: [`own.${index}.`],
    normalize: (draft) => {
      const model = draft.attribute(`own.${index}.model`);
      if (typeof model === "string") draft.move("model", model, `own.${index}.model`);
    },
  }));
  const normalize = createNormalizer(own);
  for (const index of [0, 30, 31, 62, 69]) {
    const record = normalize(makeSpan({ attributes: { [`own.${index}.model`]: "m" } }));
    expect(record).toMatchObject({
      model: "m",
      kind: "llm",
      provenance: { model: { dialect: `own-${index}` } },
    });
  }
});

describe("recognising a record", () => {
  const seen = (dialect: Partial<Dialect>, attributes = {}, events: string[] = []): boolean => {
    let called = false;
    const own: Dialect = {
      name: "own",
      ...dialect,
      normalize: () => {
        called = true;
      },
    };
    const at = "1795167000000000000";
    const record = makeSpan({
      attributes,
      events: events.map((name) => ({ name, time: at, attributes: {} })),
    });
    createNormalizer([own])(record);
    return called;
  };

  test.each<[string, boolean, Partial<Dialect>, Record<string, string>, string[]]>([
    ["by a key", true, { prefixes: ["acme."] }, { "acme.x": "1" }, []],
    ["by an event", true, { prefixes: ["acme."] }, {}, ["acme.said"]],
    ["by its own question", true, { detect: ({ name }) => name === "span" }, {}, []],
    ["by either", true, { prefixes: ["acme."], detect: () => false }, { "acme.x": "1" }, []],
    [
      "not by a key that resembles",
      false,
      { prefixes: ["acme."] },
      { acme: "1", "acmes.x": "1", "": "1", "äcme.": "1" },
      [],
    ],
    ["not when it says no", false, { detect: () => false }, { "acme.x": "1" }, []],
    ["not when it says nothing", false, {}, { "acme.x": "1" }, []],
  ])("%s", (_name, expected, dialect, attributes, events) => {
    expect(seen(dialect, attributes, events)).toBe(expected);
  });
});

test("a key that is called like the prototype is kept as it is", () => {
  const attributes = JSON.parse('{"__proto__":{"polluted":true},"gen_ai.request.model":"m"}');
  const record = createNormalizer()(makeSpan({ attributes }));
  expect(record.model).toBe("m");
  expect(JSON.stringify(record.attributes)).toBe('{"__proto__":{"polluted":true}}');
});
