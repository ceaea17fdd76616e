import { type JsonValue, recordProblem, type SpanRecord } from "@spanloom/model";
import { describe, expect, test } from "vitest";
import { createNormalizer } from "../registry.ts";
import { isObject } from "../values.ts";
import { FIXTURES, rawFixture } from "./fixture.test-support.ts";

const normalize = createNormalizer();

/** Consumed keys whose field says the same in other words: a kind, a time, a sum, a media type, a place in a list. */
const SAID_OTHERWISE =
  /^(gen_ai\.operation\.name|openinference\.span\.kind|traceloop\.span\.kind|langfuse\.observation\.(type|completion_start_time|usage_details|cost_details)|mastra\.completion_start_time|(input|output)\.mime_type|.*msToFirstChunk|.*time_to_first_chunk)$|message_content\.type$/;

/** Counts that this instrumentation gives without cached tokens and we with them. */
const SUMMED = new Set(["gen_ai.usage.input_tokens", "gen_ai.usage.total_tokens"]);

/** What nobody but the normaliser set. */
const FIELDS = [
  "kind",
  "model",
  "provider",
  "agent",
  "threadId",
  "nodeId",
  "workflowName",
  "usage",
  "cost",
  "firstTokenTime",
  "finishReasons",
  "input",
  "output",
] as const;

describe.each(FIXTURES)("%s", (name) => {
  const spans = rawFixture(name);

  test("normalising twice is normalising once, and gives a record that can be kept", () => {
    for (const span of spans) {
      const once = normalize(span);
      expect(normalize(once)).toEqual(once);
      expect(recordProblem(once)).toBeUndefined();
    }
  });

  test("the record that came is as it was", () => {
    const before = structuredClone(spans);
    for (const span of spans) normalize(span);
    expect(spans).toEqual(before);
  });

  test("no value is lost: it stands in a field or is still an attribute", () => {
    let consumed = 0;
    for (const span of spans) {
      const record = normalize(span);
      const fields = FIELDS.map((field) => (record[field] ?? null) as JsonValue);
      const said = new Set([...leaves(fields), ...leaves(record.attributes)]);
      for (const [key, value] of Object.entries(span.attributes)) {
        if (Object.hasOwn(record.attributes, key)) {
          expect(record.attributes[key]).toEqual(value);
          continue;
        }
        consumed++;
        if (SAID_OTHERWISE.test(key) || (span.instrumentation.name.endsWith("-anthropic") && SUMMED.has(key)))
          continue;
        for (const leaf of leaves(value)) expect(said, `${span.name}: ${key}`).toContain(leaf);
      }
    }
    expect(consumed).toBeGreaterThan(spans.length);
  });

  test("every field says who gave it, and what from", () => {
    for (const span of spans) {
      const record = normalize(span);
      for (const field of FIELDS) {
        if (record[field] === undefined || isAsBefore(field, record, span)) continue;
        const source = record.provenance?.[field];
        expect(source, `${span.name}: ${field}`).toBeDefined();
        expect(Object.hasOwn(span.attributes, source?.key ?? "")).toBe(true);
      }
    }
  });
});

function isAsBefore(field: (typeof FIELDS)[number], record: SpanRecord, span: SpanRecord): boolean {
  return field === "kind" && record.kind === span.kind;
}

/** Texts and numbers inside a value and inside the JSON text that a value is; names of members and empty texts aside. */
function leaves(value: JsonValue): (string | number)[] {
  if (typeof value === "string") {
    const inner = parse(value);
    if (inner !== undefined) return leaves(inner);
    return STRUCTURE.has(value) || value === "" ? [] : [value];
  }
  if (typeof value === "number") return [value];
  if (Array.isArray(value)) return value.flatMap(leaves);
  if (isObject(value)) return Object.values(value).flatMap(leaves);
  return [];
}

/** What only says of which shape a part is. */
const STRUCTURE = new Set([
  ...["text", "reasoning", "json", "function", "tool_call", "tool-call", "tool_call_response", "tool-result"],
]);

function parse(text: string): JsonValue | undefined {
  try {
    const value = JSON.parse(text) as JsonValue;
    return value === text ? undefined : value;
  } catch {
    return undefined;
  }
}
