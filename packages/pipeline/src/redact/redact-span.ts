import { hash } from "node:crypto";
import { type Content, canonicalJson, type JsonValue, type SpanRecord } from "@spanloom/model";
import { WITHHELD, withProblem } from "../withhold.ts";
import { type CompiledRules, compileRules } from "./compile-rules.ts";
import { addCounts, countOf } from "./counts.ts";
import { newProgress, type Progress, redactValue } from "./redact-value.ts";

const CONTENT_FIELDS = ["input", "output", "stateBefore", "stateAfter"] as const;
type ContentField = (typeof CONTENT_FIELDS)[number];

/**
 * Fields that can hold no text of anyone's: ids in hex, times, numbers and words of fixed sets. Everything else is
 * cleaned, also what a later version adds.
 */
const PLAIN: ReadonlySet<string> = new Set<keyof SpanRecord>([
  "traceId",
  "spanId",
  "parentSpanId",
  "kind",
  "otelKind",
  "startTime",
  "endTime",
  "firstTokenTime",
  "syntheticEnd",
  "executionStatus",
  "usage",
  "attempt",
  "revision",
  "flags",
  "dropped",
  "schemaVersion",
]);

const BUILT_IN = compileRules();

/** Fields that a record cannot be without, when cleaning them fails. */
const REQUIRED: Partial<SpanRecord> = {
  name: WITHHELD,
  executionId: WITHHELD,
  status: { code: "unset", message: WITHHELD },
  attributes: {},
  events: [],
  links: [],
  resource: { attributes: {} },
  instrumentation: { name: WITHHELD },
};

/** A stage that takes secrets out of every field. A field that fails is withheld, and the span says so. */
export function createRedactor(rules: CompiledRules): (record: SpanRecord) => SpanRecord {
  return (record) => {
    const progress = newProgress();
    let changed: Record<string, unknown> | undefined;
    const failed: string[] = [];
    for (const field in record) {
      if (PLAIN.has(field)) continue;
      const value = record[field as keyof SpanRecord];
      if (value === undefined) continue;
      let clean: unknown;
      try {
        progress.values = 0;
        clean = isContentField(field)
          ? redactContent(value as Content, rules)
          : redactField(field, value as JsonValue, rules, progress);
      } catch {
        failed.push(field);
        clean = isContentField(field)
          ? withheldContent(value as Content)
          : REQUIRED[field as keyof SpanRecord];
      }
      if (clean === value) continue;
      changed ??= {};
      changed[field] = clean;
    }
    if (progress.cut) countOf(progress.counts, "too-large");
    if (changed === undefined && progress.counts.size === 0) return record;
    let result = { ...record, ...(changed as Partial<SpanRecord>) };
    if (progress.counts.size > 0) result.redactions = addCounts(result.redactions, progress.counts);
    for (const field of failed) result = withProblem(result, `redact:${field}`);
    return result;
  };
}

/** Our own words in a record (states, codes, rule names) and its times and ids are not the host's patterns' to match. */
function redactField(field: string, value: JsonValue, rules: CompiledRules, progress: Progress): JsonValue {
  switch (field) {
    case "status":
      return redactMembers(value, ["code"], rules, progress);
    case "events":
      return redactEach(value, (event) => redactMembers(event, ["time"], rules, progress));
    case "links":
      return redactEach(value, (link) => redactMembers(link, ["traceId", "spanId"], rules, progress));
    case "cost":
    case "redactions":
    case "provenance":
      return redactValue(value, BUILT_IN, progress);
    default:
      return redactValue(value, rules, progress);
  }
}

function redactContent(content: Content, rules: CompiledRules): Content {
  const progress = newProgress();
  let result = content;
  for (const key of Object.keys(content)) {
    const value = content[key as keyof Content] as JsonValue | undefined;
    if (value === undefined) continue;
    const clean = isValue(key)
      ? redactContentValue(key, value, rules, progress)
      : redactValue(value, BUILT_IN, progress);
    if (clean !== value) result = { ...result, [key]: clean };
  }
  if (progress.counts.size > 0 || progress.cut) {
    // A hash of what held the secret would let it be guessed.
    const { hash: _hash, length: _length, ...rest } = result;
    if (progress.cut) countOf(progress.counts, "too-large");
    result = { ...rest, redactions: addCounts(result.redactions, progress.counts) };
    if (progress.cut) {
      result.state = "truncated";
      result.reason = "too large to be scanned for secrets";
    } else if (content.state === "captured") {
      result.state = "redacted";
      result.reason = "secrets were replaced";
    }
  }
  return withHash(result);
}

function isValue(key: string): boolean {
  return key === "text" || key === "json" || key === "messages";
}

function redactContentValue(
  key: string,
  value: JsonValue,
  rules: CompiledRules,
  progress: Progress,
): JsonValue {
  if (key !== "messages") return redactValue(value, rules, progress);
  const redactPart = (part: JsonValue): JsonValue => redactMembers(part, ["type"], rules, progress);
  return redactEach(value, (message) => {
    const rest = redactMembers(message, ["parts"], rules, progress);
    const { parts } = message as { parts?: JsonValue };
    if (parts === undefined) return rest;
    const clean = redactEach(parts, redactPart);
    return clean === parts ? rest : { ...(rest as { [key: string]: JsonValue }), parts: clean };
  });
}

function redactEach(list: JsonValue, redact: (item: JsonValue) => JsonValue): JsonValue {
  if (!Array.isArray(list)) return redact(list);
  let copy: JsonValue[] | undefined;
  for (const [index, item] of list.entries()) {
    const clean = redact(item);
    if (clean === item) continue;
    copy ??= [...list];
    copy[index] = clean;
  }
  return copy ?? list;
}

/** Cleans the members of one of the model's own objects, but for the ones that `keep` names. */
function redactMembers(
  object: JsonValue,
  keep: readonly string[],
  rules: CompiledRules,
  progress: Progress,
): JsonValue {
  if (typeof object !== "object" || object === null || Array.isArray(object))
    return redactValue(object, rules, progress);
  let result = object;
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value === undefined || keep.includes(key)) continue;
    const clean = redactValue(value, rules, progress);
    if (clean !== value) result = { ...result, [key]: clean };
  }
  return result;
}

/** Only whole values have a hash: of a beginning it would say nothing about the rest. */
function withHash(content: Content): Content {
  if (content.hash !== undefined || (content.state !== "captured" && content.state !== "redacted"))
    return content;
  const value = contentValue(content);
  if (value === undefined) return content;
  const text = canonicalJson(value);
  const length = typeof value === "string" ? value.length : text.length;
  return { ...content, hash: hash("sha256", text), length };
}

function contentValue(content: Content): unknown {
  if (content.format === "text") return content.text;
  return content.format === "json" ? content.json : content.messages;
}

function withheldContent({ format }: Content): Content {
  return { format, state: "not_captured", reason: "cleaning it failed" };
}

function isContentField(field: string): field is ContentField {
  return (CONTENT_FIELDS as readonly string[]).includes(field);
}
